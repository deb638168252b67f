//! A model that is ready to be asked.

use crate::{Error, Picture, Prediction};
use engine::{Cpu, Executor};
use input::{Inputs, Recipe};
use model::{Judge, Layout, Model, Tower, check_probes};
use rayon::prelude::*;
use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};
use store::Digest;

/// Pictures, or texts, that go through the network together.
const TOGETHER: usize = 32;

/// A model that is ready to be asked, on this machine's processor. Several threads may ask it at once; they take turns at the
/// network.
pub struct Classifier {
    names: Arc<[String]>,
    judge: Judge,
    layout: Layout,
    networks: Vec<Network>,
}

struct Network {
    executor: Mutex<Cpu>,
    recipe: Recipe,
}

impl Classifier {
    /// Opens a bundle, or a head whose network comes with Headstart. The network is asked for the head's four probes.
    ///
    /// # Errors
    /// Where the file is neither, or damaged; [`Error::Unlike`] where the network does not give here what the head was fitted on.
    pub fn open(path: impl AsRef<Path>) -> Result<Classifier, Error> {
        Classifier::open_with(path, &[])
    }

    /// The same of a head, with the weights of its networks.
    ///
    /// # Errors
    /// As [`Classifier::open`], and where the weights are not those that computed the head's features.
    pub fn open_with(path: impl AsRef<Path>, weights: &[PathBuf]) -> Result<Classifier, Error> {
        let Model { head, towers } = Model::open(path.as_ref(), weights)?;
        let layout = Layout::new(&head, &towers)?;
        let ready = |Tower { bound, recipe, .. }| -> Result<(Cpu, Recipe), Error> {
            Ok((Cpu::new(bound, &recipe)?, recipe))
        };
        let mut networks = towers.into_iter().map(ready).collect::<Result<Vec<_>, _>>()?;
        for (at, (executor, recipe)) in networks.iter_mut().enumerate() {
            let outputs = executor.run(recipe.probes().batch())?;
            check_probes(&head, &layout, at, executor.revision(), &outputs)?;
        }
        let networks = networks.into_iter();
        Ok(Classifier {
            judge: Judge::of(&head).map_err(model::ModelError::from)?,
            names: head.classes.into(),
            layout,
            networks: networks
                .map(|(executor, recipe)| Network { executor: Mutex::new(executor), recipe })
                .collect(),
        })
    }

    /// The names of its outputs: classes, labels or numbers.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// What the model says of a picture: of a file by its path, or of a file's bytes.
    ///
    /// # Errors
    /// Where the picture cannot be read or decoded.
    pub fn predict<'a>(&self, picture: impl Into<Picture<'a>>) -> Result<Prediction, Error> {
        let mut all = self.predict_all([picture]);
        all.pop().unwrap_or(Err(Error::TooLarge))
    }

    /// The same of several, in their order. They are decoded on all threads, and go through the network together, so that this
    /// is faster than one by one. No prediction depends on the others.
    pub fn predict_all<'a, P: Into<Picture<'a>>>(
        &self,
        pictures: impl IntoIterator<Item = P>,
    ) -> Vec<Result<Prediction, Error>> {
        let pictures: Vec<Picture<'a>> = pictures.into_iter().map(Into::into).collect();
        pictures.chunks(TOGETHER).flat_map(|some| self.predict_some(some)).collect()
    }

    fn predict_some(&self, pictures: &[Picture<'_>]) -> Vec<Result<Prediction, Error>> {
        let prepared: Vec<Result<Vec<Vec<u8>>, Error>> =
            pictures.par_iter().map(|picture| self.prepare(*picture)).collect();
        let good: Vec<&Vec<Vec<u8>>> = prepared.iter().flatten().collect();
        let rows = match self.rows(&good) {
            Ok(rows) => rows,
            // What stops the network stops it for each of them.
            Err(error) => {
                let (told, mut error) = (error.to_string(), Some(error));
                let mut stopped = || error.take().unwrap_or_else(|| Error::Stopped(told.clone()));
                let again = |one: Result<Vec<Vec<u8>>, Error>| Err(one.err().unwrap_or_else(&mut stopped));
                return prepared.into_iter().map(again).collect();
            }
        };
        let mut verdicts = self.judge.of_rows(&rows).into_iter();
        let said = |one: Result<Vec<Vec<u8>>, Error>| {
            one?;
            let verdict = verdicts.next().flatten().ok_or(Error::TooLarge)?;
            Ok(Prediction::new(Arc::clone(&self.names), verdict))
        };
        prepared.into_iter().map(said).collect()
    }

    /// A picture as the input of each network.
    fn prepare(&self, picture: Picture<'_>) -> Result<Vec<Vec<u8>>, Error> {
        let file = picture.read()?;
        let content = Digest::of(&file);
        let input = |network: &Network| -> Result<Vec<u8>, Error> {
            let (mut inputs, _) = network.recipe.load(&file, &content, None, &[0])?;
            Ok(inputs.pop().unwrap_or_default())
        };
        self.networks.iter().map(input).collect()
    }

    /// The features of prepared pictures: (n, d).
    fn rows(&self, pictures: &[&Vec<Vec<u8>>]) -> Result<Vec<f32>, Error> {
        let dim = self.layout.dim();
        let mut rows = vec![0.0; pictures.len() * dim];
        if pictures.is_empty() {
            return Ok(rows);
        }
        for (at, network) in self.networks.iter().enumerate() {
            let inputs = Inputs::of(pictures.iter().map(|picture| picture[at].clone()));
            let outputs =
                network.executor.lock().unwrap_or_else(PoisonError::into_inner).run(inputs.batch())?;
            for (n, row) in rows.chunks_exact_mut(dim).enumerate() {
                self.layout.put(at, &outputs, n, row);
            }
        }
        Ok(rows)
    }
}
