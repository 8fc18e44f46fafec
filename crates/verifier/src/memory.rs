//! Whether there is memory for the next steps: an allocation that fails in the midst of one would end the whole process.
//!
//! States, trails and numbers are allocated in hundreds of places, one by one and small. Instead of making each of them fallible, memory for
//! all that the next steps can take is asked for at once and given back. Linux asks at each (`push_stack`, `copy_verifier_state`) and
//! answers `ENOMEM`.

/// Whether so many bytes could be allocated now.
pub(crate) fn has_room(bytes: usize) -> bool {
    let mut probe = Vec::<u8>::new();
    let fits = probe.try_reserve_exact(bytes).is_ok();
    // A probe that nobody looks at would be optimised away.
    std::hint::black_box(&mut probe);
    fits
}

#[cfg(test)]
mod tests {
    use super::has_room;

    #[test]
    fn a_process_has_some_memory_and_not_all() {
        assert!(has_room(1 << 20));
        assert!(!has_room(isize::MAX as usize));
    }
}
