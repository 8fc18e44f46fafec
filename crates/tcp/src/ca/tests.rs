//! The rules of the list, each with the errno that Linux gives.

use super::*;
use crate::reno::RENO;

fn named(name: &str) -> OpsRef {
    let table = Box::leak(Box::new(CongestionOps {
        ssthresh: RENO.ssthresh,
        undo_cwnd: RENO.undo_cwnd,
        cong_avoid: RENO.cong_avoid,
        ..CongestionOps::named(name)
    }));
    OpsRef::from_static(table)
}

#[test]
fn required_members() {
    let full = || CongestionOps {
        ssthresh: RENO.ssthresh,
        undo_cwnd: RENO.undo_cwnd,
        cong_avoid: RENO.cong_avoid,
        ..CongestionOps::named("x")
    };
    assert_eq!(validate(&full()), Ok(()));
    for (table, member) in [
        (
            CongestionOps {
                ssthresh: None,
                ..full()
            },
            "ssthresh",
        ),
        (
            CongestionOps {
                undo_cwnd: None,
                ..full()
            },
            "undo_cwnd",
        ),
        (
            CongestionOps {
                cong_avoid: None,
                ..full()
            },
            "cong_avoid or cong_control",
        ),
    ] {
        let error = validate(&table).unwrap_err();
        assert_eq!(
            error,
            CaError::Missing {
                name: "x".into(),
                member
            }
        );
        assert_eq!(error.errno(), 22);
    }
    assert_eq!(
        validate(&CongestionOps {
            name: [0; 16],
            ..full()
        }),
        Err(CaError::BadName { length: 0 })
    );
    assert_eq!(
        validate(&CongestionOps {
            name: [b'a'; 16],
            ..full()
        }),
        Err(CaError::BadName { length: 16 })
    );
}

#[test]
fn register_update_unregister() {
    let registry = Registry::new();
    let (one, two, other) = (named("cc"), named("cc"), named("other"));
    registry.register(one.clone()).unwrap();
    assert_eq!(registry.register(two.clone()).unwrap_err().errno(), 17);
    assert_eq!(registry.update(other.clone(), &one).unwrap_err().errno(), 22);
    assert_eq!(registry.update(two.clone(), &other).unwrap_err().errno(), 22);
    assert_eq!(registry.update(one.clone(), &one).unwrap_err().errno(), 22);
    registry.update(two.clone(), &one).unwrap();
    assert_eq!(registry.find("cc"), Some(two.clone()));
    assert_eq!(registry.update(two.clone(), &one).unwrap_err().errno(), 22);
    assert_eq!(registry.names(), ["reno", "cc"]);
    registry.set_default("cc").unwrap();
    registry.unregister(&two).unwrap();
    assert_eq!(registry.unregister(&two).unwrap_err().errno(), 2);
    assert_eq!(registry.find("cc"), None);
    assert_eq!(
        registry.default_ops(),
        two,
        "a default survives its removal from the list"
    );
    assert_eq!(registry.set_default("cc").unwrap_err().errno(), 2);
}
