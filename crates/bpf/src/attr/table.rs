//! The machinery of the tables: fields at offsets, encoding and decoding. What a short or long attribute means follows `__sys_bpf` and
//! `bpf_check_uarg_tail_zero` of `kernel/bpf/syscall.c`, Linux 6.18.

/// A fixed set of fields at fixed offsets.
pub trait Raw: Sized + Default {
    /// Bytes up to the end of the last field.
    const SIZE: usize;
    /// Name of the kernel's type, name of the member inside it (empty: unnamed), fields.
    const TABLE: (&'static str, &'static str, &'static [RawField]);

    /// The bytes, [`Raw::SIZE`] of them, in the machine's byte order.
    fn encode(&self) -> Vec<u8>;

    /// The fields from bytes that may be shorter (the rest is zero then) or longer (the rest must be zero).
    ///
    /// # Errors
    /// The first byte behind the last field that is not zero: `E2BIG` behind what the kernel knows, else `EINVAL`.
    fn decode(bytes: &[u8]) -> Result<Self, AttrError>;
}

/// A field of a table, for checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RawField {
    /// The kernel's name.
    pub name: &'static str,
    /// Bytes from the start of the table.
    pub offset: usize,
    /// Bytes.
    pub size: usize,
}

/// Bytes that are no such attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AttrError {
    /// Something is set that this version does not know.
    #[error("byte {at}, behind the last known field, is not zero")]
    TailNotZero {
        /// Its offset.
        at: usize,
    },
}

/// A value that stands in a table.
pub(super) trait Value: Copy {
    const ZERO: Self;
    fn put(self, at: &mut [u8]);
    fn get(at: &[u8]) -> Self;
}

macro_rules! number {
    ($($number:ty)*) => {$(
        impl Value for $number {
            const ZERO: Self = 0;
            fn put(self, at: &mut [u8]) {
                at.copy_from_slice(&self.to_ne_bytes());
            }
            fn get(at: &[u8]) -> Self {
                at.first_chunk().map_or(0, |bytes| Self::from_ne_bytes(*bytes))
            }
        }
    )*};
}
number!(u32 i32 u64);

impl<const N: usize> Value for [u8; N] {
    const ZERO: Self = [0; N];
    fn put(self, at: &mut [u8]) {
        at.copy_from_slice(&self);
    }
    fn get(at: &[u8]) -> Self {
        at.first_chunk().copied().unwrap_or([0; N])
    }
}

/// `bytes` made `size` long: filled up with zeros, or cut where only zeros are left.
pub(super) fn fit(bytes: &[u8], size: usize) -> Result<Vec<u8>, AttrError> {
    if let Some(at) = (size..bytes.len()).find(|at| bytes[*at] != 0) {
        return Err(AttrError::TailNotZero { at });
    }
    let mut fitted = bytes.to_vec();
    fitted.resize(size, 0);
    Ok(fitted)
}

macro_rules! raw {
    ($(#[$doc:meta])* $name:ident in $kernel:literal $member:literal { $($field:ident: $kind:ty = $offset:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        #[expect(missing_docs, reason = "the fields are the kernel's")]
        pub struct $name {
            $(pub $field: $kind,)*
        }

        impl Default for $name {
            fn default() -> Self {
                Self { $($field: <$kind as $crate::attr::table::Value>::ZERO,)* }
            }
        }

        impl $crate::attr::table::Raw for $name {
            const SIZE: usize = {
                let mut end = 0;
                $(if $offset + size_of::<$kind>() > end { end = $offset + size_of::<$kind>(); })*
                end
            };
            const TABLE: (&'static str, &'static str, &'static [$crate::attr::table::RawField]) = ($kernel, $member, &[
                $($crate::attr::table::RawField { name: stringify!($field), offset: $offset, size: size_of::<$kind>() },)*
            ]);

            fn encode(&self) -> Vec<u8> {
                let mut bytes = vec![0; Self::SIZE];
                $($crate::attr::table::Value::put(self.$field, &mut bytes[$offset..$offset + size_of::<$kind>()]);)*
                bytes
            }

            fn decode(bytes: &[u8]) -> Result<Self, $crate::attr::table::AttrError> {
                let bytes = $crate::attr::table::fit(bytes, Self::SIZE)?;
                Ok(Self { $($field: $crate::attr::table::Value::get(&bytes[$offset..]),)* })
            }
        }
    };
}
pub(super) use raw;
