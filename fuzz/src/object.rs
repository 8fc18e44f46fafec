//! Object files: parse or give an error; what was read prints, which follows every index in it.

/// # Panics
/// If the object refers to something that it does not have.
pub fn run(data: &[u8]) {
    if let Ok(object) = ::object::Object::parse(data) {
        assert!(!object.to_string().is_empty());
        for (index, _) in object.programs() {
            assert!(object.function(index).is_some());
        }
    }
}
