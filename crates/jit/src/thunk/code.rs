//! The machine code of a thunk. Pure bytes: all targets can be looked at on any machine.

/// Bytes of a thunk on every target, so that neighbours do not share more cache lines than they must.
pub(super) const LENGTH: usize = 32;

/// A calling convention with code below.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Target {
    /// x86-64 with the System V ABI: the sixth argument is in r9, rax is free.
    X86_64,
    /// AArch64 with the AAPCS64 ABI: the sixth argument is in x5, x16 is free (and the register by which
    /// `bti c` may be reached).
    Aarch64,
}

impl Target {
    /// That of the machine we run on.
    pub(super) fn host() -> Option<Self> {
        if cfg!(windows) {
            None
        } else if cfg!(target_arch = "x86_64") {
            Some(Self::X86_64)
        } else if cfg!(all(target_arch = "aarch64", target_endian = "little")) {
            Some(Self::Aarch64)
        } else {
            None
        }
    }
}

/// A thunk: context to the sixth argument, jump to the handler.
pub(super) fn encode(target: Target, handler: u64, context: u64) -> [u8; LENGTH] {
    let (handler, context) = (handler.to_le_bytes(), context.to_le_bytes());
    let mut out = [0xcc; LENGTH];
    match target {
        Target::X86_64 => {
            out[..2].copy_from_slice(&[0x49, 0xb9]); // mov r9, context
            out[2..10].copy_from_slice(&context);
            out[10..12].copy_from_slice(&[0x48, 0xb8]); // mov rax, handler
            out[12..20].copy_from_slice(&handler);
            out[20..22].copy_from_slice(&[0xff, 0xe0]); // jmp rax
        }
        Target::Aarch64 => {
            let words: [u32; 4] = [
                0xd503_245f, // bti c
                0x5800_0065, // ldr x5, context
                0x5800_0090, // ldr x16, handler
                0xd61f_0200, // br x16
            ];
            for (bytes, word) in out.chunks_exact_mut(4).zip(words) {
                bytes.copy_from_slice(&word.to_le_bytes());
            }
            out[16..24].copy_from_slice(&context);
            out[24..].copy_from_slice(&handler);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{Target, encode};

    fn hex(target: Target) -> String {
        encode(target, 0x1122_3344_5566_7788, 0x99aa_bbcc_ddee_ff00)
            .iter()
            .map(|b| format!("{b:02x}"))
            .collect()
    }

    /// `llvm-mc -triple=x86_64 -show-encoding` of the three instructions; the rest is int3.
    #[test]
    fn x86_64_bytes() {
        assert_eq!(
            hex(Target::X86_64),
            [
                "49b9",
                "00ffeeddccbbaa99",
                "48b8",
                "8877665544332211",
                "ffe0",
                "cccccccccccccccccccc"
            ]
            .concat()
        );
    }

    /// `llvm-mc -triple=aarch64 -show-encoding` of `bti c; ldr x5, #12; ldr x16, #16; br x16`.
    #[test]
    fn aarch64_bytes() {
        assert_eq!(
            hex(Target::Aarch64),
            [
                "5f2403d5",
                "65000058",
                "90000058",
                "00021fd6",
                "00ffeeddccbbaa99",
                "8877665544332211"
            ]
            .concat()
        );
    }
}
