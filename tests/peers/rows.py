"""Rows for and from other programs: what NumPy, pyarrow, polars and safetensors write, `extract --from-rows` reads; what
`export` writes, they read. Values are compared bit by bit, texts as they are."""

import json
import tempfile
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.parquet as pq
from safetensors.numpy import load_file, save_file
from tools import tool

ROWS, DIM = 700, 24


def main():
    with tempfile.TemporaryDirectory() as folder:
        check(Path(folder))


def check(folder):
    random = np.random.default_rng(0)
    X = random.normal(size=(ROWS, DIM)).astype("f4")
    label = np.array(["ant", "bee", "a, \"quoted\" cow"])[random.integers(0, 3, ROWS)]
    split = random.choice(["train", "val", "test"], ROWS)
    ids = np.array([f"pictures/{row:04}.png" for row in random.permutation(ROWS)])
    pl.DataFrame(dict(id=ids, label=label, split=split)).write_csv(folder / "y.csv")
    lists = pa.FixedSizeListArray.from_arrays(pa.array(X.ravel()), DIM)
    table = pa.table(dict(id=ids, label=label, split=split, features=lists))
    wide = pa.table(dict(id=ids, label=label, split=split) | {f"f{at}": X[:, at] for at in range(DIM)})
    frame = pl.DataFrame(dict(id=ids, label=label, split=split, features=X))

    def npy(array, name):
        np.save(folder / name, array)

    written = {
        "plain.npy": lambda name: npy(X, name),
        "doubles.npy": lambda name: npy(X.astype("f8"), name),
        "fortran.npy": lambda name: npy(np.asfortranarray(X), name),
        "swapped.npy": lambda name: npy(X.astype(">f4"), name),
        "tensor.safetensors": lambda name: save_file({"x": X}, folder / name),
        "lists.parquet": lambda name: pq.write_table(table, folder / name, row_group_size=100),
        "zstd.parquet": lambda name: pq.write_table(table, folder / name, compression="zstd"),
        "wide.parquet": lambda name: pq.write_table(wide, folder / name),
        "polars.parquet": lambda name: frame.write_parquet(folder / name),
        "lists.arrow": lambda name: feather.write_feather(
            table, folder / name, compression="uncompressed", chunksize=90
        ),
        "lz4.feather": lambda name: feather.write_feather(table, folder / name),
        "zstd.arrow": lambda name: feather.write_feather(table, folder / name, compression="zstd", chunksize=90),
        "polars.arrow": lambda name: frame.write_ipc(folder / name),
        "categories.arrow": lambda name: feather.write_feather(
            table.set_column(1, "label", table["label"].dictionary_encode()), folder / name, compression="uncompressed"
        ),
    }
    expected, features = None, folder / "x.features"
    for name, write in written.items():
        write(name)
        alone = name.endswith((".npy", ".safetensors"))
        labels = ["--labels", folder / "y.csv"] if alone else []
        tool("extract", "--from-rows", folder / name, *labels, "--name", "rows", "-o", features, "--force")
        got = {path.name: path.read_bytes() for path in features.iterdir()}
        expected = expected or got
        assert got == expected, f"{name} gives other features"
    order = np.argsort([id.encode() for id in ids])
    for name in ["out.npy", "out.parquet", "out.arrow", "out.safetensors"]:
        tool("export", features, "-o", folder / name)
    np.testing.assert_array_equal(np.load(folder / "out.npy"), X[order])
    tables = {
        "pyarrow, Parquet": pq.read_table(folder / "out.parquet").to_pydict(),
        "pyarrow, Arrow": feather.read_table(folder / "out.arrow").to_pydict(),
        "polars, Parquet": pl.read_parquet(folder / "out.parquet").to_dict(as_series=False),
        "polars, Arrow": pl.read_ipc(folder / "out.arrow").to_dict(as_series=False),
    }
    tensors = load_file(folder / "out.safetensors")
    tables["safetensors"] = json.loads(bytes(tensors["rows"])) | {"features": tensors["features"]}
    for reader, read in tables.items():
        assert list(read) == ["id", "split", "label", "features"], f"{reader}: {list(read)}"
        for column, texts in [("id", ids), ("split", split), ("label", label)]:
            assert list(read[column]) == list(texts[order]), f"{reader}: {column}"
        np.testing.assert_array_equal(np.asarray(read["features"], "f4"), X[order], reader)
    kind = pq.read_schema(folder / "out.parquet").field("features").type
    assert pa.types.is_fixed_size_list(kind) and kind.list_size == DIM, kind
    print(f"rows: {len(written)} files read, {len(tables) + 1} readers of what is written, all bits alike")


main()
