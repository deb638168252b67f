//! A network whose every slot is filled.

use crate::{
    Misfit, Tensor, Tensors, WeightError,
    compare::advice,
    naming::Naming,
    numbers::not_finite,
    slot::{self, Trouble},
};
use network::{Network, NetworkError, Op, Param, ParamId};
use std::collections::BTreeMap;
use store::{Digest, DigestBuilder};

/// A network with its weights: one finite tensor of the right shape for every parameter, no variance negative.
#[derive(Clone, Debug, PartialEq)]
pub struct Bound {
    network: Network,
    tensors: Vec<Tensor>,
}

impl Bound {
    /// Fills `network`, which is `full` or what [`Network::for_taps`] left of it, from a file.
    ///
    /// The file may follow the names of any ecosystem that is known, below any prefix. It may lack, or hold in other shapes,
    /// what `network` does not need. It may hold heads, other towers and counters, but nothing else that `full` has no place
    /// for, since then it belongs to something else.
    ///
    /// # Errors
    /// One [`WeightError`], which names the first tensor that is wrong and says how many more are.
    pub fn bind(network: Network, full: &Network, file: &dyn Tensors) -> Result<Bound, WeightError> {
        let naming = Naming::detect(full, file);
        let misfit = |tensor: String, more| {
            let hint = advice(&tensor, &naming, full, file);
            let (file, network) = (file.label().to_owned(), network.name().to_owned());
            Box::new(Misfit { file, tensor, more, network, hint })
        };
        let troubles = || network.params().iter().filter_map(|param| naming.check(param, file).err());
        let mut missing = troubles().filter_map(|trouble| match trouble {
            Trouble::Missing(tensor) => Some(tensor),
            Trouble::Shape { .. } => None,
        });
        if let Some(tensor) = missing.next() {
            return Err(WeightError::Missing(misfit(tensor, missing.count())));
        }
        let mut wrong = troubles();
        if let Some(Trouble::Shape { tensor, expected, got }) = wrong.next() {
            return Err(WeightError::Shape { misfit: misfit(tensor, wrong.count()), expected, got });
        }
        let mut extras = naming.extras(full, file);
        if let Some(tensor) = extras.next() {
            return Err(WeightError::Extra(misfit(tensor.to_owned(), extras.count())));
        }
        let tensors = network.params().iter().map(|param| {
            let place = naming.place(param, file);
            match slot::read(&param.shape, &place, file)? {
                Some(data) => Ok(Tensor { shape: param.shape.clone(), data }),
                None => Err(WeightError::Missing(misfit(place.names().concat(), 0))),
            }
        });
        let tensors = tensors.collect::<Result<_, WeightError>>()?;
        Bound { network, tensors }.with_variances_checked(file.label(), |param| {
            naming
                .place(param, file)
                .names()
                .first()
                .map_or_else(|| param.name.clone(), |name| (*name).to_owned())
        })
    }

    /// Fills `network` with whatever `fill` gives; `origin` stands for the file in errors.
    ///
    /// # Errors
    /// Where `fill` gives nothing, a wrong shape, a number that is not finite, or a negative variance.
    pub fn from_tensors(
        network: Network,
        origin: &str,
        mut fill: impl FnMut(&Param) -> Option<Tensor>,
    ) -> Result<Bound, WeightError> {
        let mut tensors = Vec::with_capacity(network.params().len());
        for param in network.params() {
            let (file, tensor) = (origin.to_owned(), param.name.clone());
            let misfit = || {
                let (file, tensor, network) =
                    (origin.to_owned(), param.name.clone(), network.name().to_owned());
                Box::new(Misfit { file, tensor, more: 0, network, hint: None })
            };
            let Some(filled) = fill(param) else {
                return Err(WeightError::Missing(misfit()));
            };
            if filled.shape != param.shape || filled.data.len() != param.len() {
                let expected = param.shape.clone();
                return Err(WeightError::Shape { misfit: misfit(), expected, got: filled.shape });
            }
            if let Some(index) = not_finite(&filled.data) {
                return Err(WeightError::NotFinite { file, tensor, index, value: filled.data[index] });
            }
            tensors.push(filled);
        }
        Bound { network, tensors }.with_variances_checked(origin, |param| param.name.clone())
    }

    /// A part of this network, as [`Network::for_taps`] makes it, with its weights; `origin` stands for the file in errors.
    ///
    /// # Errors
    /// Where `part` has a parameter that this one lacks.
    pub fn part(&self, part: Network, origin: &str) -> Result<Bound, WeightError> {
        let ours: BTreeMap<&str, &Tensor> =
            self.tensors().map(|(param, tensor)| (param.name.as_str(), tensor)).collect();
        Bound::from_tensors(part, origin, |param| {
            ours.get(param.name.as_str()).map(|tensor| (*tensor).clone())
        })
    }

    /// This network and then `upper`, as [`Network::join`] puts them together.
    ///
    /// # Errors
    /// As there.
    pub fn join(self, upper: Bound) -> Result<Bound, NetworkError> {
        let network = self.network.join(&upper.network)?;
        let tensors = self.tensors.into_iter().chain(upper.tensors).collect();
        Ok(Bound { network, tensors })
    }

    /// Refuses a negative variance, in whatever batch norm. `name`: what the file calls a parameter.
    fn with_variances_checked(
        self,
        file: &str,
        name: impl Fn(&Param) -> String,
    ) -> Result<Bound, WeightError> {
        for node in self.network.nodes() {
            if let Op::BatchNorm { variance, .. } = node.op
                && let values = &self.tensor(variance).data
                && let Some(index) = values.iter().position(|value| *value < 0.0)
            {
                let (file, tensor) = (file.to_owned(), name(self.network.param(variance)));
                return Err(WeightError::NegativeVariance { file, tensor, index, value: values[index] });
            }
        }
        Ok(self)
    }

    /// The network.
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// The weights of one parameter.
    ///
    /// # Panics
    /// Where the id belongs to another network.
    pub fn tensor(&self, id: ParamId) -> &Tensor {
        &self.tensors[id.index()]
    }

    /// Every parameter with its weights, in the network's order.
    pub fn tensors(&self) -> impl Iterator<Item = (&Param, &Tensor)> {
        self.network.params().iter().zip(&self.tensors)
    }

    /// Takes the network and its weights apart, without copying.
    pub fn into_parts(self) -> (Network, Vec<Tensor>) {
        (self.network, self.tensors)
    }

    /// Identifies the weights: over the name, shape and little-endian f32 bytes of every parameter of this network.
    /// How the file named them, what else it held and in which dtype and order makes no difference.
    pub fn digest(&self) -> Digest {
        digest(self.tensors())
    }

    /// The [`digest`](Bound::digest) that `part`, a network cut from the same one for fewer taps, would have by itself;
    /// `None` where it needs a parameter that this one lacks.
    pub fn digest_of(&self, part: &Network) -> Option<Digest> {
        let find = |param| self.tensors().find(|(ours, _)| *ours == param);
        let tensors: Option<Vec<(&Param, &Tensor)>> = part.params().iter().map(find).collect();
        Some(digest(tensors?.into_iter()))
    }
}

fn digest<'a>(tensors: impl Iterator<Item = (&'a Param, &'a Tensor)>) -> Digest {
    let mut digest = DigestBuilder::new();
    let mut bytes = Vec::new();
    for (param, tensor) in tensors {
        // Lengths go first, so that no two lists of tensors spell the same bytes.
        digest.update(&(param.name.len() as u64).to_le_bytes());
        digest.update(param.name.as_bytes());
        digest.update(&(param.shape.len() as u64).to_le_bytes());
        for side in &param.shape {
            digest.update(&(*side as u64).to_le_bytes());
        }
        for block in tensor.data.chunks(1 << 16) {
            bytes.clear();
            bytes.extend(block.iter().flat_map(|value| value.to_le_bytes()));
            digest.update(&bytes);
        }
    }
    digest.finish()
}
