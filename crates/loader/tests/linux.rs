//! Registering on the running kernel: all or nothing, undone by dropping, kept by pins.
//!
//! Algorithms have names that no other test uses, and no namespace or socket is given one of them.

use bpf::{Bpf, Errno};
use loader::rules::Breach;
use loader::{AttachError, LoadError, Plan, PlanOptions, Step};
use object::Object;
use std::sync::Arc;

#[test]
fn a_link_registers_until_it_is_dropped() {
    let Some(kernel) = linux("registration by link") else {
        return;
    };
    let name = testkit::unique_name("osla_");
    let attached = plan(&*kernel, "pair", &only("linked", &name))
        .load(&kernel)
        .unwrap()
        .attach()
        .unwrap();
    let [registration] = attached.registrations() else {
        panic!("one registration")
    };
    let link = kernel.link_info(registration.link().unwrap()).unwrap();
    let map = kernel.map_info(&attached.loaded().ops()[0].map).unwrap();
    assert_eq!(link.map_id, Some(map.id));
    assert_eq!(map.name, "linked");
    assert!(is_registered(&name));
    drop(attached);
    assert!(!is_registered(&name));
}

#[test]
fn without_a_link_dropping_unregisters_too() {
    let Some(kernel) = linux("registration without link") else {
        return;
    };
    let name = testkit::unique_name("oslb_");
    let attached = plan(&*kernel, "pair", &only("plain", &name))
        .load(&kernel)
        .unwrap()
        .attach()
        .unwrap();
    assert!(attached.registrations()[0].link().is_none());
    assert!(is_registered(&name));
    let loaded = attached.detach().unwrap();
    assert!(!is_registered(&name));
    // Programs and maps are still there, but the kernel lets a map be used for one registration only.
    assert!(loaded.program("ssthresh").is_some());
}

#[test]
fn several_are_registered_all_or_none() {
    let Some(kernel) = linux("several ops structures") else {
        return;
    };
    let (first, second) = (testkit::unique_name("oslc_"), testkit::unique_name("osld_"));
    let options = |plain: &str| PlanOptions {
        set: vec![
            format!("linked.name={first}").parse().unwrap(),
            format!("plain.name={plain}").parse().unwrap(),
        ],
        ..PlanOptions::default()
    };
    let both = plan(&*kernel, "pair", &options(&second))
        .load(&kernel)
        .unwrap()
        .attach()
        .unwrap();
    assert!(is_registered(&first) && is_registered(&second));
    drop(both);
    assert!(!is_registered(&first) && !is_registered(&second));

    // The kernel's own reno is there always.
    let error = plan(&*kernel, "pair", &options("reno"))
        .load(&kernel)
        .unwrap()
        .attach()
        .unwrap_err();
    let taken = Breach::NameTaken {
        kind: "tcp_congestion_ops".to_owned(),
        name: "reno".to_owned(),
    };
    let expected = AttachError {
        ops: "plain".to_owned(),
        kind: "tcp_congestion_ops".to_owned(),
        step: Step::Update,
        errno: Errno::EEXIST,
        broken: vec![taken],
        left: vec![],
    };
    assert_eq!(error, expected);
    assert!(!is_registered(&first), "the one registered before is undone");
}

#[test]
fn a_refusal_names_the_rule() {
    let Some(kernel) = linux("rules of registration") else {
        return;
    };
    let name = testkit::unique_name("osle_");
    let cases: &[(&str, &str)] = &[
        ("linked.undo_cwnd=null", "no program for `undo_cwnd`"),
        (
            "linked.cong_avoid=null",
            "no program for `cong_avoid` or `cong_control`",
        ),
        ("linked.name=", "`name` is empty"),
        (
            "linked.name=with-dash",
            "`name` has the character '-'; the kernel takes letters, digits, `_` and `.`",
        ),
        ("linked.flags=0x100", "`flags` is 0x100, but flags lie within 0x1f"),
    ];
    for (set, expected) in cases {
        let mut options = only("linked", &name);
        options.set.push(set.parse().unwrap());
        let plan = plan(&*kernel, "pair", &options);
        let foreseen: Vec<Breach> = plan.breaches().into_iter().map(|(_, breach)| breach).collect();
        let error = plan.load(&kernel).unwrap().attach().unwrap_err();
        assert_eq!((error.errno, error.step), (Errno::EINVAL, Step::Update), "{set}");
        assert_eq!(error.broken, foreseen, "{set}");
        assert_eq!(
            error.broken.iter().map(ToString::to_string).collect::<Vec<_>>(),
            [*expected],
            "{set}"
        );
        assert!(!is_registered(&name));
    }
}

#[test]
fn pins_keep_and_are_all_or_nothing() {
    let Some(kernel) = linux("pins of registrations") else {
        return;
    };
    let bpffs = testkit::Bpffs::new();
    let (first, second) = (testkit::unique_name("oslf_"), testkit::unique_name("oslg_"));
    let options = PlanOptions {
        set: vec![
            format!("linked.name={first}").parse().unwrap(),
            format!("plain.name={second}").parse().unwrap(),
        ],
        ..PlanOptions::default()
    };
    let mut attached = plan(&*kernel, "pair", &options)
        .load(&kernel)
        .unwrap()
        .attach()
        .unwrap();

    // A pin that is in the way leaves nothing new behind.
    let dir = bpffs.path().join("dir");
    kernel.pin_dir_create(&dir.join("plain")).unwrap();
    kernel
        .obj_pin(
            &dir.join("plain/map"),
            bpf::ObjectRef::Map(&attached.loaded().ops()[0].map),
        )
        .unwrap();
    let error = attached.pin(&dir).unwrap_err();
    assert_eq!((error.what.as_str(), error.errno), ("plain", Errno::EEXIST));
    let names = |at: &std::path::Path| {
        kernel
            .pin_list(at)
            .unwrap()
            .into_iter()
            .map(|entry| entry.name)
            .collect::<Vec<_>>()
    };
    assert_eq!(names(&dir), ["plain"]);
    kernel.pin_remove(&dir.join("plain/map")).unwrap();

    attached.pin(&dir).unwrap();
    let plain_map = attached.loaded().ops()[1].map.duplicate().unwrap();
    drop(attached);
    assert!(is_registered(&first) && is_registered(&second));
    assert_eq!(names(&dir.join("linked")), ["link", "map"]);
    assert_eq!(names(&dir.join("plain")), ["map"]);

    kernel.map_delete(&plain_map, &[0; 4]).unwrap();
    kernel.pin_remove(&dir.join("linked/link")).unwrap();
    assert!(!is_registered(&second));
    eventually_gone(&first);
}

#[test]
fn what_was_kept_outlives_the_handles() {
    let Some(kernel) = linux("keeping registrations") else {
        return;
    };
    let name = testkit::unique_name("oslh_");
    let attached = plan(&*kernel, "pair", &only("plain", &name))
        .load(&kernel)
        .unwrap()
        .attach()
        .unwrap();
    let (loaded, links) = attached.keep();
    assert!(links.is_empty());
    let map = loaded.ops()[0].map.duplicate().unwrap();
    drop(loaded);
    assert!(is_registered(&name));
    kernel.map_delete(&map, &[0; 4]).unwrap();
    assert!(!is_registered(&name));
}

#[test]
fn a_ready_table_can_take_the_place_of_another() {
    let Some(kernel) = linux("exchange behind a link") else {
        return;
    };
    let name = testkit::unique_name("osli_");
    let load = || plan(&*kernel, "pair", &only("linked", &name)).load(&kernel).unwrap();
    let attached = load().attach().unwrap();
    let next = load();
    next.make_ready().unwrap();
    let link = attached.registrations()[0].link().unwrap();
    let update = bpf::LinkUpdate {
        new: &next.ops()[0].map,
        expected: Some(&attached.loaded().ops()[0].map),
    };
    kernel.link_update(link, &update).unwrap();
    let map = kernel.map_info(&next.ops()[0].map).unwrap();
    assert_eq!(kernel.link_info(link).unwrap().map_id, Some(map.id));
    assert!(is_registered(&name));
    drop(attached);
    assert!(!is_registered(&name));
}

#[test]
fn a_field_that_no_kernel_has_is_refused_where_it_is_used() {
    let Some(kernel) = linux("a field that no kernel has") else {
        return;
    };
    let plan = plan(&*kernel, "unguarded", &PlanOptions::default());
    assert_eq!(plan.programs()[0].poisoned, 1);
    let LoadError::Program { program, source } = plan.load(&kernel).unwrap_err() else {
        panic!("another error")
    };
    assert_eq!(
        (program.as_str(), source.verdict),
        ("ssthresh", bpf::LoadVerdict::Unsupported),
        "the kernel lacks it; the program is not at fault"
    );
    assert!(source.log.contains("195896080"), "{}", source.log);
    let report = source.report.unwrap();
    assert_eq!(report.code, bpf::codes::NO_KERNEL_FIELD);
    let line = report.source.unwrap();
    assert!(line.file.ends_with("unguarded.bpf.c"), "{line:?}");
    assert!(
        line.text.trim_start().starts_with("return ((struct tcp_sock *)ctx[0])"),
        "{line:?}"
    );
}

#[test]
fn shared_maps_are_found_again() {
    let Some(kernel) = linux("maps shared by name") else {
        return;
    };
    let bpffs = testkit::Bpffs::new();
    let options = PlanOptions {
        pin_root: Some(bpffs.path().into()),
        ..PlanOptions::default()
    };
    let object = |name: &str| Object::parse(&std::fs::read(format!("../object/tests/data/{name}")).unwrap()).unwrap();
    let types = kernel.kernel_btf().unwrap();
    let load = || {
        Plan::new(&object("shared.clang19.bpf.o"), &types, &options)
            .unwrap()
            .load(&kernel)
            .map(|mut loaded| {
                loaded.keep_shared();
                loaded
            })
    };
    let id = |loaded: &loader::Loaded| kernel.map_info(loaded.map("shared").unwrap()).unwrap().id;
    let (first, second) = (load().unwrap(), load().unwrap());
    assert_eq!(id(&first), id(&second));
    drop((first, second));
    assert!(bpffs.path().join("shared").exists());

    // Another map of this name.
    kernel.pin_remove(&bpffs.path().join("shared")).unwrap();
    let other = bpf::MapCreate {
        key_size: 4,
        value_size: 8,
        max_entries: 1,
        ..bpf::MapCreate::new(bpf::MapType::ARRAY)
    };
    let other = kernel.map_create(&other).unwrap();
    kernel
        .obj_pin(&bpffs.path().join("shared"), bpf::ObjectRef::Map(&other))
        .unwrap();
    assert!(matches!(load(), Err(LoadError::PinnedMap { map, .. }) if map == "shared"));

    // Checking makes no pin.
    kernel.pin_remove(&bpffs.path().join("shared")).unwrap();
    let plan = Plan::new(&object("shared.clang14.bpf.o"), &types, &options).unwrap();
    assert!(plan.check(&kernel).unwrap().programs[0].result.is_ok());
    assert!(!bpffs.path().join("shared").exists());
}

#[test]
fn checking_keeps_nothing() {
    let Some(kernel) = linux("checking without keeping") else {
        return;
    };
    let plan = plan(&*kernel, "pair", &only("linked", "oslo_check"));
    let checked = plan.check(&kernel).unwrap().programs;
    let names: Vec<&str> = checked.iter().map(|program| program.name.as_str()).collect();
    assert_eq!(names, ["ssthresh", "cong_avoid", "undo_cwnd"]);
    assert!(checked.iter().all(|program| matches!(program.result, Ok(1..))));
    assert!(!is_registered("oslo_check"));
}

fn linux(purpose: &str) -> Option<Arc<dyn Bpf>> {
    testkit::linux_or_skip(purpose).then(|| Arc::new(linux::Linux::new()) as Arc<dyn Bpf>)
}

fn plan(kernel: &dyn Bpf, name: &str, options: &PlanOptions) -> Plan {
    let bytes = std::fs::read(format!("tests/data/linux/{name}.bpf.o")).unwrap();
    let object = Object::parse(&bytes).unwrap();
    Plan::new(&object, &kernel.kernel_btf().unwrap(), options).unwrap()
}

/// One of the two ops structures of `pair`, under this name.
fn only(ops: &str, name: &str) -> PlanOptions {
    let other = if ops == "linked" { "plain" } else { "linked" };
    PlanOptions {
        rename: Some(name.to_owned()),
        autocreate: [(other.to_owned(), false)].into(),
        ..PlanOptions::default()
    }
}

fn is_registered(name: &str) -> bool {
    let names = std::fs::read_to_string("/proc/sys/net/ipv4/tcp_available_congestion_control").unwrap();
    names.split_whitespace().any(|known| known == name)
}

/// The kernel ends a link whose last pin was removed a moment later.
fn eventually_gone(name: &str) {
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(5);
    while is_registered(name) {
        assert!(std::time::Instant::now() < deadline, "{name} is still registered");
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
}
