//! A network's numbers under the names of another library: the way back of what [`weights`] does when it reads them.

use super::layout::Layout;
use anyhow::{Context, Result, bail};
use network::{Network, Op, Stored, Turn, positions};
use safetensors::{Dtype, SafeTensorError, View};
use std::{
    borrow::Cow,
    collections::{BTreeMap, HashMap},
    fs,
};
use store::Place;
use weights::{Bound, Tensor};

/// The file that they are written into.
pub(crate) const WEIGHTS: &str = "model.safetensors";

/// A tensor that is written. Its bytes are made when they are.
#[derive(Debug, PartialEq)]
pub(crate) enum Written {
    Floats(Tensor),
    /// How often PyTorch's batch norm was trained, which it looks for; nobody counted.
    Count,
    /// Which row of a table each pair of places in a window takes.
    Places([usize; 1], Vec<i64>),
}

/// By name.
pub(crate) type Tensors = BTreeMap<String, Written>;

/// All tensors of a backbone, as `layout` says.
///
/// # Errors
/// Where two parameters would be one tensor, or one is kept in a way that nobody writes.
pub(crate) fn placed(bound: Bound, layout: &Layout) -> Result<Tensors> {
    let (network, tensors) = bound.into_parts();
    let mut made = Tensors::new();
    for (param, mut tensor) in network.params().iter().zip(tensors) {
        if layout.places_class && is_positions(&network, &param.name) {
            place_class(&mut tensor);
        }
        put(&mut made, &param.name, (layout.place)(&param.name), tensor)?;
    }
    let counted: Vec<String> =
        made.keys().filter_map(|name| name.strip_suffix("running_var")).map(str::to_owned).collect();
    for norm in counted {
        made.insert(format!("{norm}num_batches_tracked"), Written::Count);
    }
    for (name, shape) in &layout.zeros {
        let data = vec![0.0; shape.iter().product()];
        made.insert(name.clone(), Written::Floats(Tensor { shape: shape.clone(), data }));
    }
    for (name, tensor) in &mut made {
        if let Written::Floats(tensor) = tensor
            && let Some(shape) = (layout.shape)(name, &tensor.shape)
        {
            tensor.shape = shape;
        }
    }
    Ok(made)
}

fn put(made: &mut Tensors, param: &str, place: Stored, tensor: Tensor) -> Result<()> {
    match place {
        Stored::As(name) => {
            if made.insert(name.clone(), Written::Floats(tensor)).is_some() {
                bail!("two parameters would be the tensor `{name}`");
            }
            Ok(())
        }
        Stored::Rows(parts) => {
            let (rows, count) = (tensor.shape.first().copied().unwrap_or(0), parts.len());
            if count == 0 || rows % count != 0 {
                bail!("`{param}` has {rows} rows, which are not {count} equal parts");
            }
            let mut shape = tensor.shape.clone();
            shape[0] = rows / count;
            for (part, data) in parts.into_iter().zip(tensor.data.chunks(tensor.data.len() / count)) {
                put(made, param, part, Tensor { shape: shape.clone(), data: data.to_vec() })?;
            }
            Ok(())
        }
        Stored::Part { name, parts, of } => {
            let own = tensor.data.len() / parts.len();
            let mut shape = tensor.shape.clone();
            shape[0] = shape[0] / parts.len() * of;
            let whole = made
                .entry(name.clone())
                .or_insert_with(|| Written::Floats(Tensor { shape, data: vec![0.0; own * of] }));
            match whole {
                Written::Floats(whole) if whole.data.len() == own * of => {
                    whole.data[parts.start * own..parts.end * own].copy_from_slice(&tensor.data);
                    Ok(())
                }
                _ => bail!("the parts of the tensor `{name}` are of several sizes"),
            }
        }
        Stored::Turned(name, Turn::OfHeads { heads, part }) => put_of_heads(made, &name, tensor, heads, part),
        Stored::Turned(name, Turn::OneLess) => {
            let data = tensor.data.iter().map(|value| value - 1.0).collect();
            put(made, param, Stored::As(name), Tensor { data, ..tensor })
        }
        Stored::Turned(name, Turn::OverRoot) => {
            let root = (tensor.shape.last().copied().unwrap_or(1) as f64).sqrt() as f32;
            // Of the numbers next to the quotient that which gives ours again.
            let over = |value: &f32| {
                let near = value / root;
                let all = [near, near.next_up(), near.next_down()];
                all.into_iter().find(|all| all * root == *value).unwrap_or(near)
            };
            let data = tensor.data.iter().map(over).collect();
            put(made, param, Stored::As(name), Tensor { data, ..tensor })
        }
        Stored::Turned(name, turn) => {
            let turned = weights::stored(turn, &tensor);
            let turned = turned.with_context(|| format!("`{param}` cannot be turned to be `{name}`"))?;
            put(made, param, Stored::As(name), turned)
        }
        Stored::Always(_) => Ok(()),
    }
}

/// One of queries, keys and values, which lie head by head in one tensor: (heads, 3, d, …).
fn put_of_heads(made: &mut Tensors, name: &str, tensor: Tensor, heads: usize, part: usize) -> Result<()> {
    let of_head = tensor.data.len() / heads;
    let mut shape = tensor.shape;
    shape[0] *= 3;
    let whole = made
        .entry(name.to_owned())
        .or_insert_with(|| Written::Floats(Tensor { shape, data: vec![0.0; 3 * tensor.data.len()] }));
    match whole {
        Written::Floats(whole) if whole.data.len() == 3 * tensor.data.len() => {
            for (head, numbers) in tensor.data.chunks(of_head).enumerate() {
                whole.data[(3 * head + part) * of_head..][..of_head].copy_from_slice(numbers);
            }
            Ok(())
        }
        _ => bail!("the parts of the tensor `{name}` are of several sizes"),
    }
}

fn is_positions(network: &Network, param: &str) -> bool {
    network.nodes().iter().any(
        |node| matches!(&node.op, Op::Tokens { positions, .. } if network.param(*positions).name == param),
    )
}

/// A position of zeros before all others.
fn place_class(tensor: &mut Tensor) {
    if let [_, count, width] = tensor.shape.as_mut_slice() {
        *count += 1;
        tensor.data.splice(0..0, vec![0.0; *width]);
    }
}

/// The same network for pictures of one size: its positions are those that it has there.
///
/// # Errors
/// Where the size does not fit the network.
pub(crate) fn at_size(bound: Bound, (height, width): (usize, usize)) -> Result<Bound> {
    let network = bound.network();
    let tokens = network.nodes().iter().find_map(|node| match &node.op {
        Op::Tokens { positions, grid, interpolation, .. } => {
            Some((node.inputs[0], *positions, *grid, *interpolation))
        }
        _ => None,
    });
    let Some((input, param, grid, interpolation)) = tokens else { return Ok(bound) };
    let size = match network.shapes(height, width)?[input.index()] {
        network::Shape::Map { height, width, .. } => (height, width),
        other => bail!("positions of {other}"),
    };
    if size == grid {
        return Ok(bound);
    }
    let (name, tensor) = (network.param(param).name.clone(), bound.tensor(param));
    let d = tensor.shape.last().copied().unwrap_or(1);
    let before = tensor.data.len() - grid.0 * grid.1 * d;
    let none = vec![0.0; before];
    let data = positions::table(&[&none], &tensor.data, d, grid, size, interpolation);
    let shape = vec![1, data.len() / d, d];
    let network = network.clone().with_grid(size.0, size.1);
    let (old, tensors) = bound.into_parts();
    let mut by_name: HashMap<String, Tensor> =
        old.params().iter().map(|param| param.name.clone()).zip(tensors).collect();
    by_name.insert(name, Tensor { shape, data });
    Ok(Bound::from_tensors(network, "the backbone", |param| by_name.remove(&param.name))?)
}

/// Writes them into the folder as a safetensors file, sorted by name. It gets the permissions of `like`, another of its files:
/// safetensors makes one that its owner alone may read, whatever the umask says.
///
/// # Errors
/// Where it cannot be written.
pub(crate) fn write(tensors: &Tensors, place: &Place, like: &str) -> Result<()> {
    // transformers and timm look for this entry.
    let metadata = HashMap::from([("format".to_owned(), "pt".to_owned())]);
    let path = place.temporary().join(WEIGHTS);
    safetensors::serialize_to_file(tensors, Some(metadata), &path).map_err(|error| match error {
        SafeTensorError::IoError(error) => anyhow::Error::from(place.failed(error)),
        error => error.into(),
    })?;
    let permissions = fs::metadata(place.temporary().join(like)).map(|found| found.permissions());
    let given = permissions.and_then(|permissions| fs::set_permissions(&path, permissions));
    Ok(given.map_err(|error| place.failed(error))?)
}

impl View for &Written {
    fn dtype(&self) -> Dtype {
        match self {
            Written::Floats(_) => Dtype::F32,
            Written::Count | Written::Places(..) => Dtype::I64,
        }
    }

    fn shape(&self) -> &[usize] {
        match self {
            Written::Floats(tensor) => &tensor.shape,
            Written::Count => &[],
            Written::Places(count, _) => count,
        }
    }

    fn data(&self) -> Cow<'_, [u8]> {
        match self {
            Written::Floats(tensor) => tensor.data.iter().flat_map(|value| value.to_le_bytes()).collect(),
            Written::Count => 0_i64.to_le_bytes().to_vec().into(),
            Written::Places(_, places) => places.iter().flat_map(|place| place.to_le_bytes()).collect(),
        }
    }

    fn data_len(&self) -> usize {
        match self {
            Written::Floats(tensor) => 4 * tensor.data.len(),
            Written::Count => 8,
            Written::Places(_, places) => 8 * places.len(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use network::zoo;

    /// What is written in a library's names is what `weights` reads from them.
    #[test]
    fn places_are_filled_as_they_are_read() {
        let tensor = |rows: usize, from: usize| Tensor {
            shape: vec![rows, 2],
            data: (0..2 * rows).map(|i| (from + i) as f32).collect(),
        };
        let part = |parts| Stored::Part { name: "in_proj".to_owned(), parts, of: 3 };
        let mut made = Tensors::new();
        put(&mut made, "kv", part(1..3), tensor(4, 10)).unwrap();
        put(&mut made, "q", part(0..1), tensor(2, 0)).unwrap();
        let rows = ["a", "b"].map(|name| Stored::As(name.to_owned())).to_vec();
        put(&mut made, "ab", Stored::Rows(rows.clone()), tensor(4, 0)).unwrap();
        let floats = |name: &str| match &made[name] {
            Written::Floats(tensor) => (tensor.shape.clone(), tensor.data.clone()),
            other => panic!("{other:?}"),
        };
        let whole: Vec<f32> = (0..4).chain(10..18).map(|x| x as f32).collect();
        assert_eq!(floats("in_proj"), (vec![6, 2], whole));
        assert_eq!(floats("b"), (vec![2, 2], vec![4.0, 5.0, 6.0, 7.0]));
        let twice = put(&mut made, "again", Stored::As("a".to_owned()), tensor(2, 0));
        assert!(twice.unwrap_err().to_string().contains("two parameters would be the tensor `a`"));
        assert!(put(&mut made, "odd", Stored::Rows(rows), tensor(3, 0)).is_err());
    }

    /// As [`weights`] takes them apart: np.arange(24).reshape(2, 3, 2, 2) are two heads.
    #[test]
    fn heads_lie_one_after_the_other() {
        let mut made = Tensors::new();
        for part in 0..3 {
            let rows = [0.0, 12.0].map(|head| (0..4).map(move |at| head + (4 * part + at) as f32));
            let tensor = Tensor { shape: vec![4, 2], data: rows.into_iter().flatten().collect() };
            let turn = Turn::OfHeads { heads: 2, part };
            put(&mut made, "q", Stored::Turned("qkv".to_owned(), turn), tensor).unwrap();
        }
        let expected = Tensor { shape: vec![12, 2], data: (0..24).map(|at| at as f32).collect() };
        assert_eq!(made["qkv"], Written::Floats(expected));
    }

    #[test]
    fn numbers_that_stand_for_others_give_ours_again() {
        let mut made = Tensors::new();
        let mut back = |turn, own: Vec<f32>, shape: Vec<usize>, again: &dyn Fn(f32) -> f32| {
            let tensor = Tensor { shape, data: own.clone() };
            let name = format!("{turn:?}");
            put(&mut made, "x", Stored::Turned(name.clone(), turn), tensor).unwrap();
            let Written::Floats(kept) = &made[&name] else { panic!("{name}") };
            assert_eq!(kept.data.iter().map(|value| again(*value)).collect::<Vec<_>>(), own, "{name}");
        };
        let numbers: Vec<f32> = (1..999).map(|at| (at as f32 * 0.37).sin() * 3.0).collect();
        back(Turn::OneLess, numbers.iter().map(|x| x + 1.0).collect(), vec![998], &|x| x + 1.0);
        let root = 499_f64.sqrt() as f32;
        back(Turn::OverRoot, numbers.iter().map(|x| x * root).collect(), vec![2, 499], &|x| x * root);
    }

    #[test]
    fn positions_are_those_of_the_size() {
        let network = zoo::find("vit_tiny_patch16_224").unwrap().network().for_taps(&["pooled"]).unwrap();
        let bound = Bound::from_tensors(network, "ones", |param| {
            Some(Tensor { shape: param.shape.clone(), data: vec![1.0; param.len()] })
        })
        .unwrap();
        let digest = bound.digest();
        let same = at_size(bound, (224, 224)).unwrap();
        assert_eq!(same.digest(), digest);
        let smaller = at_size(same, (96, 96)).unwrap();
        let id = smaller.network().param_named("pos_embed").unwrap();
        assert_eq!(smaller.tensor(id).shape, [1, 37, 192]);
        // A constant stays what it is.
        assert!(smaller.tensor(id).data.iter().all(|value| (value - 1.0).abs() < 1e-6));
    }
}
