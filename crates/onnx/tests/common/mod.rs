//! Writes ONNX files of any kind, and imports them.

#![allow(dead_code, unused_imports, clippy::allow_attributes, reason = "every test file uses a part of this")]

mod file;

pub(crate) use file::*;
use headstart_onnx::{ImportError, Imported, Options, import};

impl File {
    pub(crate) fn import(&self, options: Options<'_>) -> Result<Imported, ImportError> {
        import_bytes(&self.model(), options)
    }

    /// What it becomes.
    pub(crate) fn imported(&self) -> Imported {
        self.import(Options::default()).unwrap()
    }

    /// What is said against it.
    pub(crate) fn said(&self) -> String {
        self.import(Options::default()).unwrap_err().to_string()
    }
}

pub(crate) fn import_bytes(bytes: &[u8], options: Options<'_>) -> Result<Imported, ImportError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.onnx");
    std::fs::write(&path, bytes).unwrap();
    import(&path, options)
}

/// The operations of a network, one word each.
pub(crate) fn operations(imported: &Imported) -> String {
    let word = |node: &network::Node| {
        let op = format!("{:?}", node.op);
        op.split([' ', '(']).next().unwrap_or_default().to_owned()
    };
    imported.bound.network().nodes().iter().map(word).collect::<Vec<_>>().join(" ")
}
