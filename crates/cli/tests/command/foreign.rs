//! A bpffs in which others have been: what is not opswap's is named and left alone, and nothing is kept where others could take it away.

use crate::common::run;
use crate::ground::{Ground, available};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use testkit::linux_or_skip;

impl Ground {
    fn path(&self, below: &str) -> PathBuf {
        self.bpffs.path().join(below)
    }

    fn folder(&self) -> PathBuf {
        self.path("opswap/tcp_congestion_ops").join(&self.name)
    }
}

/// Runs a command of the system as nobody.
fn as_nobody(words: &[&str], path: &Path) {
    let status = Command::new("setpriv")
        .args("--reuid 65534 --regid 65534 --clear-groups".split(' '))
        .args(words)
        .arg(path)
        .status();
    assert!(status.is_ok_and(|status| status.success()), "{words:?}");
}

#[test]
fn one_foreign_thing_stands_in_nobodys_way() {
    if !linux_or_skip("foreign things below the folder of pins") {
        return;
    }
    let ground = Ground::new();
    ground.load("reno");
    let things = [
        ground.path("opswap/stray"),
        ground.path("opswap/tcp_congestion_ops/stray"),
        ground.folder().join("v7"),
        ground.folder().join("back8"),
        ground.folder().join("link2"),
    ];
    symlink("/etc/passwd", &things[0]).unwrap();
    symlink("/nowhere", &things[1]).unwrap();
    symlink("/etc/passwd", &things[2]).unwrap();
    std::fs::create_dir(&things[3]).unwrap();
    symlink(ground.folder().join("v1"), &things[4]).unwrap();

    let list = ground.run(&["list"]);
    assert_eq!(list.code, 0, "{list:?}");
    for thing in &things {
        let told = format!("{} is left alone", thing.display());
        assert!(list.err.contains(&told), "{told}: {list:?}");
    }
    let other = testkit::unique_name("cli_");
    for words in [
        &["load", "cubic", "--as", &other][..],
        &["show", &other],
        &["unload", &other],
        &["swap", &ground.name, "cubic"],
        &["rollback", &ground.name],
        &["unload", &ground.name],
    ] {
        let ran = ground.run(words);
        assert_eq!(ran.code, 0, "{words:?}: {ran:?}");
    }
    for thing in &things {
        assert!(thing.symlink_metadata().is_ok(), "{} is still there", thing.display());
        let _ = std::fs::remove_file(thing).or_else(|_| std::fs::remove_dir(thing));
    }
    std::fs::remove_dir(ground.folder()).unwrap();
    std::fs::remove_dir(ground.path("opswap/tcp_congestion_ops")).unwrap();
    std::fs::remove_dir(ground.path("opswap")).unwrap();
    ground.gone();
}

#[test]
fn a_name_that_somebody_else_has_is_not_taken_from_them() {
    if !linux_or_skip("foreign things with names of pins") {
        return;
    }
    let ground = Ground::new();
    let name = ground.name.as_str();
    ground.load("reno");
    // A number that is taken is passed over, whatever has it.
    symlink("/etc/passwd", ground.folder().join("v2")).unwrap();
    std::fs::create_dir(ground.folder().join("new3")).unwrap();
    assert_eq!(ground.json(&["swap", name, "cubic"])["changes"][0]["to"], 4);
    // One that is needed is not.
    std::fs::create_dir(ground.folder().join("back4")).unwrap();
    let before = ground.tables();
    let ran = ground.run(&["rollback", name]);
    assert!(ran.code == 6 && ran.err.contains("back4 is in the way"), "{ran:?}");
    assert_eq!(ground.tables(), before);
    std::fs::remove_dir(ground.folder().join("back4")).unwrap();
    assert_eq!(ground.run(&["rollback", name]).code, 0);
    ground.json(&["unload", name]);

    std::fs::remove_dir(ground.folder().join("new3")).unwrap();
    for wanted in ["v1", "link"] {
        std::fs::rename(ground.folder().join("v2"), ground.folder().join(wanted)).unwrap();
        let ran = ground.run(&["load", "reno", "--as", name]);
        assert!(
            ran.code == 6 && ran.err.contains(&format!("{wanted} is in the way")),
            "{ran:?}"
        );
        std::fs::rename(ground.folder().join(wanted), ground.folder().join("v2")).unwrap();
    }
    std::fs::remove_file(ground.folder().join("v2")).unwrap();
    ground.load("reno");
    ground.json(&["unload", name]);
    ground.gone();
}

#[test]
fn nothing_is_kept_where_others_could_take_it_away() {
    if !linux_or_skip("folders of others in a bpffs") {
        return;
    }
    let open = |mode| std::fs::Permissions::from_mode(mode);
    let of_nobody: &dyn Fn(&Path) = &|path| as_nobody(&["mkdir", "-m", "777"], path);
    let writable: &dyn Fn(&Path) = &|path| {
        std::fs::create_dir(path).unwrap();
        std::fs::set_permissions(path, open(0o777)).unwrap();
    };
    let link: &dyn Fn(&Path) = &|path| {
        let elsewhere = path.with_file_name("elsewhere");
        std::fs::create_dir_all(&elsewhere).unwrap();
        symlink(&elsewhere, path).unwrap();
    };
    for (make, below, why) in [
        (of_nobody, "opswap", "it belongs to user 65534"),
        (writable, "opswap", "others may write to it (mode 777)"),
        (link, "opswap", "symbolic link"),
        (link, "opswap/tcp_congestion_ops", "symbolic link"),
        (writable, "opswap/tcp_congestion_ops", "others may write to it"),
    ] {
        let ground = Ground::new();
        let everybody = std::fs::Permissions::from_mode(0o1777);
        std::fs::set_permissions(ground.bpffs.path(), everybody).unwrap();
        let path = ground.path(below);
        if path.parent() != Some(ground.bpffs.path()) {
            std::fs::create_dir(path.parent().unwrap()).unwrap();
        }
        make(&path);
        let ran = ground.run(&["load", "reno", "--as", &ground.name]);
        assert!(
            ran.code == 6 && ran.err.contains(why) && ran.err.contains("help:"),
            "{below}: {ran:?}"
        );
        assert!(ran.err.contains(path.to_str().unwrap()), "{ran:?}");
        assert_eq!(ground.tables(), [], "{below}");
        let list = ground.run(&["list"]);
        assert!(
            list.code == 0 && list.err.contains("is left alone"),
            "{below}: {list:?}"
        );
    }
    // A bpffs that everybody may rename things in is none to keep things in; one that is sticky, as they are by default, is.
    let ground = Ground::new();
    std::fs::set_permissions(ground.bpffs.path(), open(0o777)).unwrap();
    let ran = ground.run(&["load", "reno", "--as", &ground.name]);
    assert!(ran.code == 6 && ran.err.contains("mode 777"), "{ran:?}");
    std::fs::set_permissions(ground.bpffs.path(), open(0o1777)).unwrap();
    ground.load("reno");
    ground.json(&["unload", &ground.name]);
    ground.gone();
}

#[test]
fn what_is_offered_as_the_undo_can_be_done() {
    if !linux_or_skip("pins that were removed by hand") {
        return;
    }
    let ground = Ground::new();
    let offered = || {
        let list = ground.run(&["list"]);
        list.err
            .contains(&format!("kept for `opswap rollback {}`", ground.name))
    };
    ground.load("reno");
    std::fs::remove_file(ground.folder().join("v1")).unwrap();
    let swapped = ground.run(&["swap", &ground.name, "cubic"]);
    assert!(
        swapped.code == 0 && swapped.out.contains("undo: opswap rollback"),
        "{swapped:?}"
    );
    assert!(offered());
    let back = ground.run(&["rollback", &ground.name]);
    assert!(back.code == 0 && back.out.contains("undo: opswap rollback"), "{back:?}");

    // Now the version that is kept: a rollback is neither offered nor possible.
    let kept = std::fs::read_dir(ground.folder()).unwrap().flatten();
    let kept = kept
        .map(|entry| entry.path())
        .find(|path| path.to_str().unwrap().contains("back"));
    std::fs::remove_file(kept.expect("the version that the rollback took away")).unwrap();
    assert!(!offered());
    assert_eq!(ground.run(&["rollback", &ground.name]).code, 7);
    let swapped = ground.json(&["swap", &ground.name, "cubic"]);
    assert_eq!(swapped["changes"][0]["to"], 2);
    assert!(offered());
    ground.json(&["unload", &ground.name]);
    ground.gone();
}

/// The folder and whatever is mounted on it.
struct Mounted(tempfile::TempDir);

impl Mounted {
    fn is(&self) -> bool {
        let mounts = std::fs::read_to_string("/proc/self/mountinfo").expect("a file of every Linux");
        mounts.contains(self.0.path().to_str().unwrap())
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let _nothing_there = Command::new("umount").arg("-l").arg(self.0.path()).output();
    }
}

#[test]
fn a_load_that_fails_leaves_nothing_mounted() {
    if !linux_or_skip("a bpffs that a load mounts") {
        return;
    }
    let folder = Mounted(tempfile::tempdir().unwrap());
    let path = folder.0.path().to_str().unwrap();
    let beside = tempfile::tempdir().unwrap();
    let link = beside.path().join("link");
    symlink(path, &link).unwrap();
    for path in [path, link.to_str().unwrap()] {
        let ran = run(&["load", "cubic", "--as", "reno", "--bpffs", path]);
        assert!(ran.code == 6 && !folder.is(), "{ran:?}");
    }

    let name = testkit::unique_name("cli_");
    let ran = run(&["load", "cubic", "--as", &name, "--bpffs", path]);
    assert!(ran.code == 0 && folder.is(), "{ran:?}");
    // What somebody uses stays.
    let ran = run(&["load", "cubic", "--as", &name, "--bpffs", path]);
    assert!(ran.code == 6 && folder.is(), "{ran:?}");
    let ran = run(&["unload", &name, "--bpffs", path]);
    assert!(ran.code == 0, "{ran:?}");
}

#[test]
fn a_name_with_a_dot_is_kept_as_any_other() {
    if !linux_or_skip("a name with a dot") {
        return;
    }
    let ground = Ground::new();
    let name = format!("{}.b", &ground.name[..ground.name.len().min(13)]);
    for words in [
        &["load", "reno", "--as", &name][..],
        &["show", &name],
        &["swap", &name, "cubic"],
        &["rollback", &name],
        &["unload", &name],
    ] {
        let ran = ground.run(words);
        assert_eq!(ran.code, 0, "{words:?}: {ran:?}");
    }
    ground.gone();
}

#[test]
fn a_pin_of_another_kind_is_no_version() {
    if !linux_or_skip("pins of other kinds under names of ours") {
        return;
    }
    let ground = Ground::new();
    ground.load("reno");
    let [link, v1, v7, back2, at3] = ["link", "v1", "v7", "back2", "at3"].map(|name| ground.folder().join(name));
    std::fs::hard_link(&link, &v7).unwrap();
    std::fs::hard_link(&v1, &at3).unwrap();
    let other = Command::new("bpftool")
        .args("map create".split(' '))
        .arg(&back2)
        .args("type array key 4 value 4 entries 1 name other".split(' '))
        .status();
    let mut things = vec![&v7, &at3];
    if other.is_ok_and(|status| status.success()) {
        things.push(&back2);
    }
    let ran = ground.run(&["rollback", &ground.name]);
    assert_eq!(ran.code, 7, "there is no version to go back to: {ran:?}");
    for words in [&["swap", &ground.name, "cubic"][..], &["unload", &ground.name]] {
        let ran = ground.run(words);
        assert_eq!(ran.code, 0, "{words:?}: {ran:?}");
        for thing in &things {
            assert!(
                ran.err.contains(&format!("{} is left alone", thing.display())),
                "{ran:?}"
            );
            assert!(thing.exists(), "{}", thing.display());
        }
    }
    std::fs::remove_dir_all(ground.path("opswap")).unwrap();
    ground.gone();
}

#[test]
fn what_somebody_else_registered_is_not_unloaded_by_an_old_link() {
    if !linux_or_skip("a link that was detached") {
        return;
    }
    let (ground, elsewhere) = (Ground::new(), Ground::new());
    let name = ground.name.as_str();
    ground.load("reno");
    let kept = ground.path("kept");
    std::fs::hard_link(ground.folder().join("link"), &kept).unwrap();
    ground.json(&["unload", name]);
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(ground.folder())
        .unwrap();
    std::fs::rename(&kept, ground.folder().join("link")).unwrap();

    assert_eq!(elsewhere.run(&["load", "cubic", "--as", name]).code, 0);
    let ran = ground.run(&["unload", name]);
    assert!(ran.code == 6 && ran.err.contains("kept in another bpffs"), "{ran:?}");
    assert!(available().contains(&ground.name));
    elsewhere.json(&["unload", name]);
    // What is left of us alone goes, although no table has the name any more.
    testkit::eventually("the table is freed", || ground.tables().is_empty());
    assert_eq!(ground.json(&["unload", name])["changes"][0]["pins_removed"], 1);
    assert_eq!(ground.run(&["unload", name]).code, 7);
    ground.gone();
}

#[test]
fn what_is_ours_is_so_in_a_bpffs_that_is_read_only() {
    if !linux_or_skip("a bpffs that is read-only") {
        return;
    }
    let ground = Ground::new();
    let name = ground.name.as_str();
    let remount = |option| {
        let words = ["-o", option];
        let status = Command::new("mount").args(words).arg(ground.bpffs.path()).status();
        assert!(status.is_ok_and(|status| status.success()));
    };
    ground.load("reno");
    let before = ground.tables();
    remount("remount,ro");
    let refused: Vec<_> = [
        &["swap", name, "cubic"][..],
        &["rollback", name],
        &["unload", name],
        &["load", "reno"],
    ]
    .map(|words| ground.run(words))
    .into();
    let doctor = ground.run(&["doctor"]);
    remount("remount,rw");
    for ran in &refused {
        assert!(ran.code == 1 && ran.err.contains("EROFS"), "{ran:?}");
    }
    assert!(doctor.code == 1 && doctor.out.contains("EROFS"), "{doctor:?}");
    assert_eq!(ground.tables(), before);
    ground.json(&["unload", name]);
    ground.gone();
}

#[test]
fn nobody_else_can_keep_a_change_waiting() {
    if !linux_or_skip("locks of others") {
        return;
    }
    let ground = Ground::new();
    let root = std::fs::File::open(ground.bpffs.path()).unwrap();
    root.try_lock()
        .expect("what any user may do to a folder that is open to all");
    let begin = std::time::Instant::now();
    ground.load("reno");
    ground.json(&["unload", &ground.name]);
    assert!(
        begin.elapsed() < std::time::Duration::from_secs(8),
        "a lock is waited for ten seconds"
    );
    ground.gone();
}

#[test]
fn many_who_load_and_unload_at_once_all_succeed() {
    if !linux_or_skip("loads and unloads at the same time") {
        return;
    }
    // The folder of all pins comes and goes meanwhile.
    let ground = Ground::new();
    let worker = |_| {
        let name = testkit::unique_name("cli_");
        for _ in 0..3 {
            for words in [&["load", "reno", "--as", &name][..], &["unload", &name]] {
                let ran = ground.run(words);
                assert_eq!(ran.code, 0, "{words:?}: {ran:?}");
            }
        }
    };
    std::thread::scope(|scope| {
        for number in 0..4 {
            scope.spawn(move || worker(number));
        }
    });
    ground.gone();
}

#[test]
fn too_few_descriptors_are_said_and_nothing_is_left() {
    if !linux_or_skip("loads with few descriptors") {
        return;
    }
    let ground = Ground::new();
    let words = ground.words(&["load", "reno", "--as", &ground.name]);
    let mut refused = 0;
    for descriptors in 6..24 {
        let ran = Command::new("sh")
            .args(["-c", "ulimit -n $0; exec \"$@\"", &descriptors.to_string()])
            .arg(env!("CARGO_BIN_EXE_opswap"))
            .args(&words)
            .output()
            .expect("a shell");
        let said = String::from_utf8_lossy(&ran.stderr);
        if ran.status.success() {
            ground.json(&["unload", &ground.name]);
        } else {
            assert!(said.contains("EMFILE"), "{descriptors}: {said}");
            refused += 1;
            testkit::eventually("the table is freed", || ground.tables().is_empty());
        }
    }
    ground.gone();
    assert!((1..18).contains(&refused), "{refused} of 18 were refused");
}
