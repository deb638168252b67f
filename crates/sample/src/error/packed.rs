//! Why tars and Parquet files are not a data set.

use std::{io, path::PathBuf};
use store::{brief::shortened, table::Position};

/// Each message names the file, says what was expected and what was found.
#[derive(Debug, thiserror::Error)]
pub enum PackedError {
    /// Several inputs that are no shards.
    #[error(
        "`{0}` is no .tar or .parquet like the others; several inputs are shards of one data set, all of one kind"
    )]
    NotShards(PathBuf),
    /// A shard without pictures.
    #[error(
        "`{path}` has no column of pictures, such as `image` of bytes; several manifests are not read together"
    )]
    NoPictures {
        /// The shard.
        path: PathBuf,
    },
    /// A shard without labels among others.
    #[error("`{0}` has no column `label`, but others have; leave it out, or those")]
    NoLabels(PathBuf),
    /// A number that stands for no class.
    #[error(
        "`{path}`, {row}: `{}` is {}, which names none of its {classes} classes; leave such rows out",
        shortened(column),
        shortened(value)
    )]
    ClassNumber {
        /// The file.
        path: PathBuf,
        /// The row.
        row: Position,
        /// The column.
        column: String,
        /// What it says.
        value: String,
        /// How many classes there are.
        classes: usize,
    },
    /// A pattern of very many names.
    #[error("`{path}` stands for more than {most} files; give a folder, or fewer")]
    LongPattern {
        /// The pattern.
        path: PathBuf,
        /// Files that one may stand for.
        most: usize,
    },
    /// `--root` for something that has no paths.
    #[error("`{0}` has names of its own; --root goes with a manifest or a list of paths")]
    RootOfShards(PathBuf),
    /// What can be read once only, and could not be kept.
    #[error("cannot keep `{path}` in `{folder}` while it is read: {source}")]
    Unspooled {
        /// The input.
        path: PathBuf,
        /// Where it was to be kept.
        folder: PathBuf,
        /// What went wrong.
        source: io::Error,
    },
    /// A tar that is none.
    #[error("cannot read `{path}`: {}", shortened(reason))]
    Tar {
        /// The tar.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// Two pictures of one name.
    #[error("`{path}` holds `{}` twice; keep one of them", shortened(name))]
    MemberTwice {
        /// The tar.
        path: PathBuf,
        /// The name.
        name: String,
    },
    /// Two files of one name in two shards.
    #[error("`{}` is in `{path}` and in `{other}`; keep one of them", shortened(name))]
    MemberInTwo {
        /// A shard.
        path: PathBuf,
        /// Another.
        other: PathBuf,
        /// The name.
        name: String,
    },
    /// A folder around the classes of one tar, but not of another.
    #[error(
        "`{path}` has a folder `{}` around its classes, `{other}` has none; pack both alike",
        shortened(folder)
    )]
    OuterFolder {
        /// The tar with the folder.
        path: PathBuf,
        /// The folder.
        folder: String,
        /// A tar without it.
        other: PathBuf,
    },
    /// A file in a tar that says nothing of use.
    #[error("`{}` in `{path}` {}", shortened(name), shortened(reason))]
    Member {
        /// The tar.
        path: PathBuf,
        /// The file's name.
        name: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A picture without a label among others.
    #[error("`{}` in `{path}` has no label, but others have; give it a .cls, or leave it out", shortened(id))]
    NoLabel {
        /// The data set.
        path: PathBuf,
        /// The picture.
        id: String,
    },
}
