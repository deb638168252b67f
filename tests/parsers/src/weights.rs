//! Weight files, and their tensors in a network's slots.

use crate::scratch;
use network::{Builder, Network};
use weights::{Bound, Tensors};

/// A file.
pub fn weights(bytes: &[u8]) {
    scratch::with_file("w.safetensors", bytes, |path| {
        let file = match weights::open(path) {
            Ok(file) => file,
            Err(error) => return drop(error.to_string()),
        };
        whole(&*file);
        let network = network();
        // A misfit is compared with every network there is, to say whose weights these may be: enough of it is in the seeds.
        if network.params().iter().any(|param| file.shape(&param.name).is_none())
            && !bytes.len().is_multiple_of(64)
        {
            return;
        }
        match Bound::bind(network.clone(), &network, &*file) {
            Ok(bound) => assert_eq!(bound.tensors().count(), network.params().len()),
            Err(error) => drop(error.to_string()),
        }
    });
}

/// Every tensor that can be read is of the shape that was said, and finite.
pub(crate) fn whole(file: &dyn Tensors) {
    for name in file.names() {
        if let Ok(Some(tensor)) = file.read(name) {
            assert_eq!(Some(&tensor.shape[..]), file.shape(name));
            assert_eq!(tensor.data.len(), tensor.shape.iter().product::<usize>());
            assert!(tensor.data.iter().all(|value| value.is_finite()));
        }
    }
}

/// A GGUF file.
pub fn gguf(bytes: &[u8]) {
    scratch::with_file("w.gguf", bytes, |path| match weights::open(path) {
        Ok(file) => whole(&*file),
        Err(error) => drop(error.to_string()),
    });
}

/// MXNet's arrays.
pub fn mxnet(bytes: &[u8]) {
    scratch::with_file("w.params", bytes, |path| match weights::open(path) {
        Ok(file) => whole(&*file),
        Err(error) => drop(error.to_string()),
    });
}

/// An index of shards, beside one shard, `a.safetensors`, that holds a tensor `w`.
pub fn sharded(bytes: &[u8]) {
    let header = br#"{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#;
    let shard = [(header.len() as u64).to_le_bytes().as_slice(), header, &1_f32.to_le_bytes()].concat();
    scratch::with_file("a.safetensors", &shard, |_| ());
    scratch::with_file("model.safetensors.index.json", bytes, |path| match weights::open(path) {
        Ok(file) => whole(&*file),
        Err(error) => drop(error.to_string()),
    });
}

/// An HDF5 file, or a `.keras` archive around one.
pub fn hdf5(bytes: &[u8]) {
    scratch::with_file("w.h5", bytes, |path| {
        let Ok(file) = weights::open(path) else { return };
        for name in file.names() {
            let shape = file.shape(name).unwrap();
            // A file may say that it holds 64 MiB of zeros: once is enough.
            let count = shape.iter().try_fold(1_usize, |count, side| count.checked_mul(*side));
            if count.is_some_and(|count| count <= 1 << 16)
                && let Ok(Some(tensor)) = file.read(name)
            {
                assert_eq!((tensor.shape.as_slice(), Some(tensor.data.len())), (shape, count));
            }
        }
    });
}

/// A network of two layers, whose weights are a small file.
pub fn network() -> Network {
    let mut net = Builder::image();
    let x = net.input();
    let x = net.batch_norm("bn", x);
    let x = net.global_average_pool("pool", x);
    let x = net.linear("fc", x, 2);
    net.finish("small", x)
}
