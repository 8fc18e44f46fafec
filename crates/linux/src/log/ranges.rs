//! Accesses at an offset that is not a constant: what the kernel says in three ways (`check_mem_region_access`, `kernel/bpf/verifier.c`, Linux 6.12 to
//! 6.18) is one fault to the embedded kernel's verifier, which says the range. The range is in the register's state as the log shows it
//! (`print_scalar_ranges`, `kernel/bpf/log.c`).

/// An access that can leave a map's value.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Outside {
    size: u32,
    value_size: i64,
    smin: i64,
    smax: i64,
    umin: u64,
    umax: u64,
}

impl Outside {
    /// `state` begins with what the register holds; the instruction has the offset that it adds: `(71) r0 = *(u8 *)(r2 +4)`.
    pub(super) fn of(state: &str, register: &str, insn: &str, size: u32) -> Option<Self> {
        let inside = state.lines().next()?.strip_prefix("map_value(")?.split(" R").next()?;
        let value_size = named(inside, "vs")?.parse().ok()?;
        let (_, address) = insn.split_once(&format!("(r{register} "))?;
        let off: i64 = address.split(')').next()?.parse().ok()?;
        let off = off + number(inside, "off").unwrap_or(0) + number(inside, "imm").unwrap_or(0);
        // A number without any range is a constant, of which the other messages tell.
        named(inside, "smax").or_else(|| named(inside, "umax"))?;
        let unsigned = |name, most: u64| number(inside, name).map_or(most, |number| number as u64);
        Some(Self {
            size,
            value_size,
            smin: number(inside, "smin").unwrap_or(i64::MIN).saturating_add(off),
            smax: number(inside, "smax").unwrap_or(i64::MAX).saturating_add(off),
            umin: unsigned("umin", 0).saturating_add_signed(off),
            umax: unsigned("umax", u64::MAX).saturating_add_signed(off),
        })
    }

    pub(super) fn message(&self) -> String {
        let range = match (self.smin, self.smax, self.umax) {
            (i64::MIN, i64::MAX, u64::MAX) => "unbounded".to_owned(),
            (i64::MIN, i64::MAX, umax) => format!("{}..={umax}", self.umin),
            (smin, smax, _) => format!("{smin}..={smax}"),
        };
        let Self { size, value_size, .. } = self;
        format!("{size} bytes at {range} can leave the map value of {value_size} bytes")
    }

    pub(super) fn help(&self) -> String {
        let last = self.value_size - i64::from(self.size);
        if self.smin < 0 && self.smax <= last {
            "the index can be negative: make it unsigned or test it against 0".to_owned()
        } else {
            format!("bound the offset so that it is at most {last}")
        }
    }
}

/// `smax=umax=0x7f`: names of equal values stand in one row.
fn named<'a>(state: &'a str, name: &str) -> Option<&'a str> {
    state.split(',').find_map(|part| {
        let mut names = part.trim_end_matches(')').split('=');
        let value = names.next_back()?;
        names.any(|one| one == name).then_some(value)
    })
}

fn number(state: &str, name: &str) -> Option<i64> {
    super::words::number(named(state, name)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_from_a_state() {
        for (state, message) in [
            (
                "map_value(map=m,ks=4,vs=48,smin=umin=8,smax=umax=smax32=umax32=255,var_off=(0x0; 0xff)) R10=fp0",
                "1 bytes at 12..=259 can leave the map value of 48 bytes",
            ),
            (
                "map_value(map=m,ks=4,vs=48,off=-1,smin=smin32=-8,smax=smax32=0x7)\n7: (71) r0 = *(u8 *)(r2 +4)",
                "1 bytes at -5..=10 can leave the map value of 48 bytes",
            ),
        ] {
            let outside = Outside::of(state, "2", "(71) r0 = *(u8 *)(r2 +4)", 1);
            assert_eq!(outside.map(|one| one.message()).as_deref(), Some(message), "{state}");
        }
        let constant = "map_value(map=m,ks=4,vs=48,off=50)";
        assert_eq!(Outside::of(constant, "2", "(71) r0 = *(u8 *)(r2 +4)", 1), None);
    }
}
