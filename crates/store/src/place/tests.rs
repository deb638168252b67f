//! What may be replaced, by whom, and what is left of runs that did not end.

use super::*;
use crate::ours::Columns;

/// Knows nothing but texts of these tests.
const OURS: Ours = Ours::file("a text", &[b"one", b"two"]);

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> =
        fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn an_output_is_there_whole_or_not_at_all() {
    let root = tempfile::tempdir().unwrap();
    let target = root.path().join("out");
    for folder in [false, true] {
        let make = |force| {
            if folder { Place::folder(&target, force, |_| true) } else { Place::file(&target, force, OURS) }
        };
        drop(make(false).unwrap());
        assert!(names(root.path()).is_empty(), "a dropped place leaves nothing");

        let write = |place: &Place, text: &str| {
            let path = if folder { place.temporary().join("a") } else { place.temporary().to_owned() };
            fs::write(path, text).unwrap();
        };
        let place = make(false).unwrap();
        write(&place, "one");
        place.commit().unwrap();
        assert_eq!(names(root.path()), ["out"]);

        assert!(matches!(make(false), Err(PlaceError::Exists(_))));
        let place = make(true).unwrap();
        write(&place, "two");
        place.commit().unwrap();
        assert_eq!(names(root.path()), ["out"]);
        let read = if folder { target.join("a") } else { target.clone() };
        assert_eq!(fs::read_to_string(read).unwrap(), "two");
        remove(&target).unwrap();
    }
}

#[test]
fn what_was_withdrawn_is_not_made_anew() {
    let root = tempfile::tempdir().unwrap();
    let place = Place::file(&root.path().join("out"), false, OURS).unwrap();
    place.open().unwrap();
    fs::remove_file(place.temporary()).unwrap();
    assert!(matches!(place.open(), Err(PlaceError::Write { .. })));
    assert!(names(root.path()).is_empty());
}

#[test]
fn two_runs_never_share_a_place_and_a_killed_one_is_swept() {
    let root = tempfile::tempdir().unwrap();
    let target = root.path().join("out");
    for folder in [false, true] {
        let make =
            || if folder { Place::folder(&target, true, |_| true) } else { Place::file(&target, true, OURS) };
        let first = make().unwrap();
        assert!(matches!(make(), Err(PlaceError::Busy(_))));
        assert!(first.temporary().exists(), "the second run leaves the first alone");
        drop(first);
        // As a killed run leaves it: there, but not locked.
        fs::create_dir(beside(&target, "partial")).unwrap();
        fs::write(beside(&target, "partial").join("half"), "").unwrap();
        drop(make().unwrap());
        assert!(names(root.path()).is_empty());
    }
}

#[test]
fn what_comes_meanwhile_is_not_replaced_without_force() {
    let root = tempfile::tempdir().unwrap();
    let target = root.path().join("out");
    let place = Place::folder(&target, false, |_| true).unwrap();
    fs::create_dir(&target).unwrap();
    fs::write(target.join("diary"), "precious").unwrap();
    assert!(matches!(place.commit(), Err(PlaceError::Exists(_))));
    let place = Place::file(&root.path().join("file"), false, OURS).unwrap();
    fs::write(root.path().join("file"), "precious").unwrap();
    assert!(matches!(place.commit(), Err(PlaceError::Exists(_))));
    assert_eq!(names(root.path()), ["file", "out"]);
    assert_eq!(names(&target), ["diary"]);
}

#[test]
fn a_run_killed_between_its_renames_loses_nothing() {
    let root = tempfile::tempdir().unwrap();
    let target = root.path().join("out");
    fs::create_dir(beside(&target, "replaced")).unwrap();
    fs::write(beside(&target, "replaced").join("old"), "").unwrap();
    assert!(matches!(Place::folder(&target, false, |_| true), Err(PlaceError::Exists(_))));
    assert_eq!(names(&target), ["old"]);
}

#[test]
fn a_missing_folder_is_told() {
    let root = tempfile::tempdir().unwrap();
    assert!(matches!(Place::file(&root.path().join("no/x"), true, OURS), Err(PlaceError::NoParent { .. })));
}

#[test]
fn force_never_replaces_a_folder_by_a_file() {
    let root = tempfile::tempdir().unwrap();
    assert!(matches!(Place::file(root.path(), true, OURS), Err(PlaceError::Other { .. })));
    fs::write(root.path().join("holiday.jpg"), "").unwrap();
    assert!(matches!(Place::folder(root.path(), true, |_| false), Err(PlaceError::Foreign(_))));
    assert_eq!(names(root.path()), ["holiday.jpg"]);
}

#[test]
fn what_stopped_runs_leave_is_kept_until_the_output_is_there() {
    let root = tempfile::tempdir().unwrap();
    let target = root.path().join("out");
    let stop = |text: &str| {
        let place = Place::resumable(&target, false, |_| true).unwrap();
        assert!(names(place.temporary()).is_empty());
        fs::write(place.temporary().join("a"), text).unwrap();
        let earlier = place.earlier();
        place.leave();
        earlier
    };
    let earlier = stop("one");
    assert_eq!(names(root.path()), [".out.partial"]);
    stop("two");
    assert_eq!(names(root.path()), [".out.earlier", ".out.partial"]);
    // One that fails leaves what it found, and nothing of its own.
    let failing = Place::resumable(&target, false, |_| true).unwrap();
    fs::write(failing.temporary().join("a"), "three").unwrap();
    drop(failing);
    assert_eq!(names(root.path()), [".out.earlier"]);
    let texts = ["0", "1"].map(|run| fs::read_to_string(earlier.join(run).join("a")).unwrap());
    assert_eq!((texts, names(&earlier)), (["one", "two"].map(String::from), vec!["0".into(), "1".into()]));
    // As one that is killed: there, but not locked.
    fs::create_dir(root.path().join(".out.partial")).unwrap();
    fs::write(root.path().join(".out.partial").join("a"), "four").unwrap();
    let place = Place::resumable(&target, false, |_| true).unwrap();
    assert_eq!(fs::read_to_string(earlier.join("2/a")).unwrap(), "four");
    place.commit().unwrap();
    assert_eq!(names(root.path()), ["out"]);
}

#[test]
fn a_refused_run_touches_nothing_that_stopped_runs_left() {
    let root = tempfile::tempdir().unwrap();
    let target = root.path().join("out");
    let place = Place::resumable(&target, false, |_| true).unwrap();
    fs::write(place.temporary().join("a"), "").unwrap();
    assert!(matches!(Place::resumable(&target, false, |_| true), Err(PlaceError::Busy(_))));
    assert_eq!(names(place.temporary()), ["a"]);
    place.leave();
    fs::create_dir(&target).unwrap();
    assert!(matches!(Place::resumable(&target, false, |_| true), Err(PlaceError::Exists(_))));
    assert_eq!(names(&root.path().join(".out.partial")), ["a"]);
}

#[test]
fn of_many_runs_that_begin_at_once_one_has_the_place() {
    use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
    let root = tempfile::tempdir().unwrap();
    let target = root.path().join("out");
    for kind in ["file", "folder", "resumable"] {
        let (holders, taken, begun) = (AtomicUsize::new(0), AtomicUsize::new(0), std::sync::Barrier::new(4));
        let run = |thread: usize| {
            begun.wait();
            for round in 0..150 {
                let place = match kind {
                    "file" => Place::file(&target, false, OURS),
                    "folder" => Place::folder(&target, false, |_| true),
                    _ => Place::resumable(&target, false, |_| true),
                };
                let place = match place {
                    Ok(place) => place,
                    Err(PlaceError::Busy(_)) => {
                        // Else all turns may be over before the holder gets one, on a busy machine.
                        std::thread::sleep(std::time::Duration::from_micros(20));
                        continue;
                    }
                    Err(error) => panic!("{error}"),
                };
                assert_eq!(holders.fetch_add(1, SeqCst), 0, "two runs have the same {kind}");
                let temporary = place.temporary();
                let path = if kind == "file" { temporary.to_owned() } else { temporary.join("a") };
                let mine = format!("{thread} {round}");
                fs::write(&path, &mine).unwrap();
                std::thread::yield_now();
                assert_eq!(fs::read_to_string(&path).unwrap(), mine);
                taken.fetch_add(1, SeqCst);
                holders.fetch_sub(1, SeqCst);
                // Some end, some stop: both are what the next one may find.
                if round % 2 == 0 { place.leave() } else { drop(place) }
            }
        };
        let run = &run;
        std::thread::scope(|scope| (0..4).for_each(|thread| drop(scope.spawn(move || run(thread)))));
        assert!(taken.into_inner() >= 4);
        remove(&beside(&target, "partial")).unwrap();
    }
}

#[test]
fn force_replaces_what_this_program_writes_and_nothing_else() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("x");
    for (bytes, found) in [
        (&b"path,label\na.png,cat\n"[..], "another text or table"),
        (b"\xff\xd8\xff\xe0", "a JPEG picture"),
        (b"\x07\0\0\0\0\0\0\0{\"a\":{}", "a file of weights"),
    ] {
        fs::write(&path, bytes).unwrap();
        let message = Place::file(&path, true, OURS).unwrap_err().to_string();
        assert!(message.contains(&format!("exists and is {found}, not a text")), "{message}");
        assert_eq!((fs::read(&path).unwrap(), names(root.path())), (bytes.to_vec(), vec!["x".to_owned()]));
    }
    for bytes in ["", "one", "two and more"] {
        fs::write(&path, bytes).unwrap();
        drop(Place::file(&path, true, OURS).unwrap());
    }
    let metrics = Ours::table(
        "metrics",
        &[
            Columns { first: &["split", "scope"], more: &["metric", "note:"] },
            Columns { first: &["id", "target:"], more: &[] },
        ],
    );
    for (text, ours) in [
        ("split,scope,metric\n", true),
        ("split,scope,note:b,note:a,metric\n", true),
        ("split,scope,metric,mine\n", false),
        ("id,target:a\n", true),
        ("id,split\n", false),
        ("split\n", false),
        ("split,scopes\n", false),
        ("[]", true),
        ("[{\"split\":\"val\",\"scope\":\"x\"}]", true),
        ("[{\"path\":\"val\",\"split\":1,\"scope\":\"x\"}]", false),
        ("[{\"splits\":\"val\",\"scopes\":\"x\"}]", false),
        ("[{\"split\":\"val\",\"scope\":\"x\",\"mine\":1}]", false),
        ("PAR1", false),
    ] {
        fs::write(&path, text).unwrap();
        assert_eq!(Place::file(&path, true, metrics).is_ok(), ours, "{text}");
    }
}

#[cfg(unix)]
#[test]
fn no_output_is_an_input_or_another_output() {
    let root = tempfile::tempdir().unwrap();
    let [a, b] = ["a", "b"].map(|name| root.path().join(name));
    fs::write(&a, "one").unwrap();
    std::os::unix::fs::symlink(&a, &b).unwrap();
    let place = Place::file(&b, true, OURS).unwrap();
    let message = distinct(&[&place], [a.as_path()]).unwrap_err().to_string();
    assert!(message.contains("b` is the same file as") && message.contains("this run reads"), "{message}");
    let other = Place::file(&a, true, OURS).unwrap();
    assert!(distinct(&[&place, &other], []).unwrap_err().to_string().contains("this run writes"));
    assert!(distinct(&[&place], [root.path()]).is_ok());
}

#[cfg(target_os = "linux")]
#[test]
fn there_is_no_moment_with_neither_old_nor_new() {
    use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
    let root = tempfile::tempdir().unwrap();
    let target = root.path().join("out");
    fs::create_dir(&target).unwrap();
    fs::write(target.join("a"), "0").unwrap();
    if exchange(&target, &target).is_err() {
        return; // This file system cannot.
    }
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let watch = scope.spawn(|| {
            let mut missing = 0;
            while !done.load(SeqCst) {
                missing += u32::from(!target.exists());
            }
            missing
        });
        for round in 0..50 {
            let place = Place::folder(&target, true, |_| true).unwrap();
            fs::write(place.temporary().join("a"), format!("{round}")).unwrap();
            place.commit().unwrap();
        }
        done.store(true, SeqCst);
        assert_eq!(watch.join().unwrap(), 0);
    });
    assert_eq!(
        (names(root.path()), fs::read_to_string(target.join("a")).unwrap()),
        (vec!["out".into()], "49".into())
    );
}
