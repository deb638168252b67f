//! A disk that is nearly full.

use crate::Room;
use std::{fs, path::PathBuf, process::Command};

/// A file system in memory with hardly any room left, mounted at `disk` of a test's folder until it is dropped.
pub struct SmallDisk(PathBuf);

impl SmallDisk {
    /// One with `free` bytes left; `None`, and a line that says so, where this user may not mount one.
    pub fn mount(room: &Room, free: usize) -> Option<SmallDisk> {
        const SIZE: usize = 1 << 20;
        let path = room.path("disk");
        fs::create_dir(&path).unwrap();
        let size = format!("size={SIZE}");
        let mount = Command::new("mount").args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(&path).output();
        if !mount.is_ok_and(|output| output.status.success()) {
            #[expect(clippy::print_stdout, reason = "a test that did nothing should say so")]
            {
                println!("skipped: only root can mount a small disk");
            }
            return None;
        }
        let disk = SmallDisk(path);
        fs::write(disk.0.join("filling"), vec![1; SIZE - free]).unwrap();
        Some(disk)
    }

    /// Names on it, hidden ones too, but for what fills it.
    pub fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.0).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.filter(|name| name != "filling").collect()
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // What stays mounted would stay for good: the folder above is about to be removed.
        let unmounted = Command::new("umount").arg(&self.0).status();
        assert!(unmounted.is_ok_and(|status| status.success()) || std::thread::panicking());
    }
}
