//! Runs an ONNX graph as its file says it, node by node, on plain candle.
//!
//! It is an oracle: what `export` wrote is read back and run here, so that attributes, wiring and weights are checked and
//! not what we meant by them. It is not an ONNX runtime: it knows the operators that Headstart writes, each in the form
//! in which it is written, and hurries nowhere but in convolutions and products.
//!
//! **Invariant:** nothing in a graph makes it panic; what does not fit is an error that names the node.

mod numbers;
mod operators;

use crate::{
    EngineError, Executor,
    executor::{Normalisation, check_length, pictures_of, pixels_of},
};
use candle_core::{DType, Device, Tensor};
use input::{Batch, Recipe, image::Picture, text};
use onnx::{Form, Input, Literal, Model, Output, Step, Tokens, Value};

/// Pictures that go through together: more than one, as the batch axis must work, and no more, as memory is finite.
const TOGETHER: usize = 2;

/// A graph that is ready to run.
pub struct Interpreter {
    name: String,
    inputs: Vec<Input>,
    tensors: Vec<Tensor>,
    steps: Vec<Step>,
    outputs: Vec<Output>,
    /// For every step, the steps whose values nobody reads after it has run.
    frees: Vec<Vec<usize>>,
    /// Of each input that is prepared pictures.
    normalisations: Vec<Normalisation>,
    widths: Vec<usize>,
}

impl Interpreter {
    /// Makes a model with one input ready for pictures of this recipe.
    ///
    /// # Errors
    /// Where the recipe gives pictures of another size than the model's input.
    pub fn new(model: Model, recipe: &Recipe) -> Result<Interpreter, EngineError> {
        Interpreter::of(model, &[recipe])
    }

    /// Makes a model ready whose inputs are pictures of these recipes, one for each; or one picture as it is, which needs
    /// none; or the tokens of texts, of one recipe.
    ///
    /// # Errors
    /// Where a recipe gives pictures of another size than its input, or other content, or there are more or fewer.
    pub fn of(model: Model, recipes: &[&Recipe]) -> Result<Interpreter, EngineError> {
        let Model { graph, inputs, .. } = model;
        let mut normalisations = Vec::with_capacity(recipes.len());
        if let [Input::Tokens(_), ..] = inputs.as_slice() {
            if !matches!(recipes, [Recipe::Text(_)]) {
                return Err(EngineError::Inputs { expected: 1, got: recipes.len() });
            }
        } else if inputs != [Input::Image] {
            if inputs.len() != recipes.len() {
                return Err(EngineError::Inputs { expected: inputs.len(), got: recipes.len() });
            }
            for (input, recipe) in inputs.iter().zip(recipes) {
                let (how, (height, width)) = pictures_of("the model", recipe)?;
                let (expected, got) = (sides(input), [3, height, width]);
                if expected != got {
                    return Err(EngineError::PictureSize { expected, got });
                }
                normalisations.push(Normalisation::of(how));
            }
        }
        let fail = |source| step_error(&graph.name, "initializers", source);
        let tensors = graph.tensors.into_iter().map(tensor).collect::<candle_core::Result<_>>();
        let tensors = tensors.map_err(fail)?;
        let frees = frees(&graph.steps, &graph.outputs);
        let (name, steps, outputs) = (graph.name, graph.steps, graph.outputs);
        let widths = outputs.iter().map(|output| output.form.width()).collect();
        Ok(Interpreter { name, inputs, tensors, steps, outputs, frees, normalisations, widths })
    }

    /// What its outputs are called, in their order.
    pub fn outputs(&self) -> impl Iterator<Item = &'static str> {
        self.outputs.iter().map(|output| output.name)
    }

    /// input: (n, channels, h, w) f32, normalised; all in one batch. For tests.
    ///
    /// # Errors
    /// As [`Executor::run`].
    pub fn run_tensor(&self, input: &[f32], n: usize) -> Result<Vec<Vec<f32>>, EngineError> {
        self.run_given(&[self.given(0, input, n)?], n)
    }

    /// Runs a model on a picture as it is, of any size: one row for each output; what is true is 1.
    ///
    /// # Errors
    /// As [`Executor::run`].
    pub fn run_picture(&self, picture: &Picture) -> Result<Vec<Vec<f32>>, EngineError> {
        let (height, width) = (picture.height as usize, picture.width as usize);
        let sides = [height, width, 3];
        check_length(1, sides, picture.pixels.len())?;
        if self.inputs != [Input::Image] {
            return Err(EngineError::Inputs { expected: self.inputs.len(), got: 0 });
        }
        let image = Tensor::from_slice(&picture.pixels, &sides, &Device::Cpu);
        self.run_given(&[image.map_err(|source| step_error(&self.name, "image", source))?], 1)
    }

    /// Runs a model on prepared pictures: of each input a batch, all of the same samples.
    ///
    /// # Errors
    /// As [`Executor::run`].
    pub fn run_all(&self, batches: &[Batch<'_>]) -> Result<Vec<Vec<f32>>, EngineError> {
        if let ([Input::Tokens(_), ..], [texts]) = (self.inputs.as_slice(), batches) {
            return self.run_texts(*texts);
        }
        // None of a model that takes pictures as they are.
        let expected = self.normalisations.len();
        if batches.is_empty() || batches.len() != expected {
            return Err(EngineError::Inputs { expected, got: batches.len() });
        }
        let pixels = self.inputs.iter().zip(batches).map(|(input, batch)| {
            let [_, height, width] = sides(input);
            pixels_of(*batch, (height, width))
        });
        let pixels = pixels.collect::<Result<Vec<_>, _>>()?;
        let samples = batches.first().map_or(0, Batch::len);
        let mut outputs = vec![Vec::new(); self.outputs.len()];
        for first in (0..samples).step_by(TOGETHER) {
            let n = TOGETHER.min(samples - first);
            let mut given = Vec::with_capacity(pixels.len());
            for (at, (pixels, by)) in pixels.iter().zip(&self.normalisations).enumerate() {
                let picture: usize = sides(&self.inputs[at]).iter().product();
                let part = pixels.get(first * picture..(first + n) * picture).unwrap_or_default();
                let planes: Vec<f32> = part.chunks(picture).flat_map(|pixels| by.planes(pixels)).collect();
                given.push(self.given(at, &planes, n)?);
            }
            let values = self.run_given(&given, n)?;
            outputs.iter_mut().zip(values).for_each(|(output, values)| output.extend(values));
        }
        Ok(outputs)
    }

    /// Runs a model on the tokens of texts, which are padded to the longest of those that go through together. Each window is a
    /// row of its own.
    fn run_texts(&self, texts: Batch<'_>) -> Result<Vec<Vec<f32>>, EngineError> {
        let (tokens, ends) = text::tokens_of(texts);
        let starts = std::iter::once(0).chain(ends.iter().copied());
        let texts: Vec<_> = starts.zip(&ends).map(|(start, end)| &tokens[start..*end]).collect();
        let mut outputs = vec![Vec::new(); self.outputs.len()];
        for together in texts.chunks(TOGETHER) {
            let longest = together.iter().map(|tokens| tokens.len()).max().unwrap_or(0);
            let padded = |said: fn(&text::Token) -> i64| -> Vec<i64> {
                let of = |tokens: &&[text::Token]| {
                    let padding = vec![0; longest - tokens.len()];
                    tokens.iter().map(said).chain(padding).collect::<Vec<_>>()
                };
                together.iter().flat_map(of).collect()
            };
            let given = self.inputs.iter().map(|input| {
                let numbers = match input {
                    Input::Tokens(Tokens::Mask) => padded(|_| 1),
                    Input::Tokens(Tokens::Segments) => padded(|token| i64::from(token.is_second())),
                    _ => padded(|token| i64::from(token.id())),
                };
                Tensor::from_vec(numbers, (together.len(), longest), &Device::Cpu)
            });
            let given = given.collect::<candle_core::Result<Vec<_>>>();
            let given = given.map_err(|source| step_error(&self.name, "input", source))?;
            let values = self.run_given(&given, together.len())?;
            outputs.iter_mut().zip(values).for_each(|(output, values)| output.extend(values));
        }
        Ok(outputs)
    }

    /// (n, channels, h, w) of the input of that place.
    fn given(&self, at: usize, input: &[f32], n: usize) -> Result<Tensor, EngineError> {
        let [c, h, w] = self.inputs.get(at).map_or([0; 3], sides);
        check_length(n, [c, h, w], input.len())?;
        Tensor::from_slice(input, (n, c, h, w), &Device::Cpu)
            .map_err(|source| step_error(&self.name, "input", source))
    }

    fn run_given(&self, inputs: &[Tensor], n: usize) -> Result<Vec<Vec<f32>>, EngineError> {
        let mut values: Vec<Option<(Tensor, Option<Tensor>)>> = vec![None; self.steps.len()];
        let mut outputs = vec![Vec::new(); self.outputs.len()];
        for (at, step) in self.steps.iter().enumerate() {
            let fail = |source| step_error(&self.name, &step.name, source);
            let read = |value: &Value| match *value {
                Value::Input(input) => inputs.get(input).cloned(),
                Value::Tensor(tensor) => Some(self.tensors[tensor].clone()),
                Value::Step(step) => values[step].as_ref().map(|(value, _)| value.clone()),
                Value::Second(step) => values[step].as_ref().and_then(|(_, second)| second.clone()),
            };
            let inputs: Vec<Tensor> = step.inputs.iter().filter_map(read).collect();
            let value = operators::apply(&step.operator, &inputs).map_err(fail)?;
            for (output, given) in self.outputs.iter().zip(&mut outputs) {
                if output.value == Value::Step(at) {
                    *given = rows(&value.0, n, output.form).map_err(fail)?;
                }
            }
            values[at] = Some(value);
            for freed in &self.frees[at] {
                values[*freed] = None;
            }
        }
        Ok(outputs)
    }
}

impl Executor for Interpreter {
    fn revision(&self) -> &str {
        "interpreter"
    }

    fn widths(&self) -> &[usize] {
        &self.widths
    }

    fn run(&mut self, batch: Batch<'_>) -> Result<Vec<Vec<f32>>, EngineError> {
        self.run_all(&[batch])
    }
}

/// Of prepared pictures.
fn sides(input: &Input) -> [usize; 3] {
    match input {
        Input::Pixels { sides, .. } => *sides,
        Input::Image | Input::Tokens(_) => [3, 0, 0],
    }
}

fn tensor(literal: Literal) -> candle_core::Result<Tensor> {
    match literal {
        Literal::Floats(tensor) => Tensor::from_vec(tensor.data, tensor.shape, &Device::Cpu),
        Literal::Halves { shape, data } => Tensor::from_vec(data, shape, &Device::Cpu),
        Literal::Doubles { shape, data } => Tensor::from_vec(data, shape, &Device::Cpu),
        Literal::Integers { shape, data } => Tensor::from_vec(data, shape, &Device::Cpu),
    }
}

/// The numbers of a value of that form.
fn rows(value: &Tensor, n: usize, form: Form) -> candle_core::Result<Vec<f32>> {
    let (expected, element) = match form {
        Form::Rows(width) => (vec![n, width], DType::F32),
        Form::Numbers => (vec![n], DType::F32),
        Form::Truths => (vec![n], DType::U8),
    };
    if value.dims() != expected || value.dtype() != element {
        candle_core::bail!("expected {expected:?}, got {:?} of {:?}", value.shape(), value.dtype());
    }
    value.to_dtype(DType::F32)?.flatten_all()?.to_vec1()
}

/// For every step, whose values are not needed once it has run.
fn frees(steps: &[Step], outputs: &[Output]) -> Vec<Vec<usize>> {
    let mut last: Vec<usize> = (0..steps.len()).collect();
    for (at, step) in steps.iter().enumerate() {
        for input in &step.inputs {
            if let Value::Step(read) | Value::Second(read) = input {
                last[*read] = at;
            }
        }
    }
    let mut frees = vec![Vec::new(); steps.len()];
    for (step, last) in last.into_iter().enumerate() {
        if outputs.iter().all(|output| ![Value::Step(step), Value::Second(step)].contains(&output.value)) {
            frees[last].push(step);
        }
    }
    frees
}

fn step_error(network: &str, node: &str, source: candle_core::Error) -> EngineError {
    EngineError::Step { network: network.to_owned(), node: node.to_owned(), source: Box::new(source) }
}
