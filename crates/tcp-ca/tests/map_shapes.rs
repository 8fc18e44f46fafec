//! Linux as the judge of maps: what sizes a map of each type may have, at the last that is taken and the first that is not.

use bpf::{Bpf, Errno, MapCreate, MapFlags, MapType};
use btf::{Builder, Encoding};

/// Type, size of key and value, entries; with or without elements made in advance.
const SHAPES: [(MapType, u32, u32, u32, MapFlags); 28] = {
    use MapFlags as F;
    use MapType as T;
    const NONE: F = F::empty();
    const LATER: F = F::NO_PREALLOC;
    [
        (T::HASH, 8, 4_194_247, 1, LATER),
        (T::HASH, 8, 4_194_248, 1, LATER),
        (T::HASH, 4_194_247, 8, 1, LATER),
        (T::HASH, 4_194_248, 8, 1, LATER),
        (T::HASH, 4_194_254, 1, 1, LATER),
        (T::HASH, 4_194_255, 1, 1, LATER),
        (T::HASH, u32::MAX, u32::MAX, 1, LATER),
        (T::HASH, 8, 8, (1 << 27) + 1, LATER),
        (T::HASH, 8, 8, u32::MAX, LATER),
        (T::HASH, 0, 8, 1, LATER),
        (T::HASH, 8, 0, 1, LATER),
        (T::HASH, 8, 8, 0, LATER),
        (T::PERCPU_HASH, 8, 32_768, 1, LATER),
        (T::PERCPU_HASH, 8, 32_769, 1, LATER),
        (T::PERCPU_HASH, 4_194_247, 8, 1, LATER),
        (T::PERCPU_HASH, 4_194_248, 8, 1, LATER),
        (T::PERCPU_HASH, 8, 8, (1 << 27) + 1, LATER),
        (T::ARRAY, 4, i32::MAX as u32 + 1, 1, NONE),
        (T::ARRAY, 4, u32::MAX, u32::MAX, NONE),
        (T::ARRAY, 8, 8, 1, NONE),
        (T::ARRAY, 4, 0, 1, NONE),
        (T::ARRAY, 4, 8, 0, NONE),
        (T::ARRAY, 4, 8, 1, LATER),
        (T::PERCPU_ARRAY, 4, 32_768, 1, NONE),
        (T::PERCPU_ARRAY, 4, 32_769, 1, NONE),
        (T::SK_STORAGE, 4, 65_407, 0, LATER),
        (T::SK_STORAGE, 4, 65_408, 0, LATER),
        (T::SK_STORAGE, 4, 8, 1, LATER),
    ]
};

/// What a kernel says of such a map. Types are given where a map must have them.
fn create(kernel: &dyn Bpf, shape: (MapType, u32, u32, u32, MapFlags)) -> Result<(), Errno> {
    let (map_type, key_size, value_size, max_entries, flags) = shape;
    let mut types = Builder::new();
    let int = types.int("int", 4, Encoding::SIGNED);
    let byte = types.int("unsigned char", 1, Encoding::UNSIGNED);
    let value = types.array(byte, value_size);
    let object = types.build().unwrap().to_bytes();
    let object = (map_type == MapType::SK_STORAGE).then(|| kernel.btf_load(&object).unwrap());
    let args = MapCreate {
        key_size,
        value_size,
        max_entries,
        flags,
        btf: object.as_ref(),
        btf_key_type_id: object.as_ref().map_or(0, |_| int.0),
        btf_value_type_id: object.as_ref().map_or(0, |_| value.0),
        name: "oswt_shape",
        ..MapCreate::new(map_type)
    };
    kernel.map_create(&args).map(drop)
}

#[test]
fn the_same_sizes() {
    if !testkit::linux_or_skip("creates maps to compare the sizes that they may have") {
        return;
    }
    let linux = linux::Linux::new();
    let embedded = kernel::Kernel::builder().build().unwrap();
    let wrong: Vec<String> = SHAPES
        .into_iter()
        .filter_map(|shape| {
            let [here, there] = [&embedded as &dyn Bpf, &linux].map(|kernel| create(kernel, shape));
            (here != there).then(|| format!("{shape:?}: {here:?}, on Linux {there:?}"))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
