//! The door: a file, and what it becomes.

use super::{
    ImportError, finish,
    importer::Importer,
    model::{self, Header, Node, Port},
    value::{Live, Value},
    view::View,
};
use network::{Assembly, Op};
use std::path::Path;
use store::MappedFile;
use weights::{Bound, OnnxFile};

/// What is asked of a model.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options<'a> {
    /// Height and width of pictures, in pixels; those that the file says, where it says them.
    pub size: Option<(usize, usize)>,
    /// Where features are to be read: a node, a value, `pooled` or `logits`. With one, nodes behind it need not be known.
    pub tap: Option<&'a str>,
}

/// A model as a network.
#[derive(Clone, Debug)]
pub struct Imported {
    /// The whole graph that is known, with its weights. Its output is what the model gives, before a softmax.
    pub bound: Bound,
    /// How it takes pictures.
    pub source: Source,
    /// Where features are read unless somebody says otherwise.
    pub default_tap: String,
    /// The model's `metadata_props`, in the file's order.
    pub metadata: Vec<(String, String)>,
}

/// How a model takes pictures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// What the input is called.
    pub name: String,
    /// Where channels stand.
    pub layout: Layout,
    /// How many there are.
    pub channels: usize,
    /// Height and width, in pixels, that the network was read for.
    pub size: (usize, usize),
    /// Whether the file says these and no other.
    pub is_fixed: bool,
}

/// Where the channels of a picture stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// (batch, channels, height, width).
    ChannelsFirst,
    /// (batch, height, width, channels).
    ChannelsLast,
}

/// Reads a model.
///
/// # Errors
/// One [`ImportError`], which names the node that is not known.
pub fn import(path: &Path, options: Options<'_>) -> Result<Imported, ImportError> {
    let map = MappedFile::open(path).map_err(weights::WeightError::from)?;
    let file = OnnxFile::mapped(path, map)?;
    let opset = model::check(&file)?;
    let header = Header::read(&file)?;
    let (port, source) = picture(&header, options.size)?;
    let name = path.file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into_owned());
    let mut importer = Importer::new(&file, opset, Assembly::new(&name, source.size));
    let input = importer.net.push(&port.name, Op::Input { channels: source.channels }, &[])?;
    let view = View::of(input, importer.net.shape(input));
    let view = match source.layout {
        Layout::ChannelsFirst => Some(view),
        Layout::ChannelsLast => view.turned(&[0, 2, 3, 1]),
    };
    let view = view.ok_or_else(|| ImportError::Input(port.name.clone()))?;
    importer.values.insert(port.name.clone(), Value::Live(Live::of(view)));
    importer.titles.insert(port.name.clone(), port.name.clone());
    for range in file.nodes() {
        let node = Node::read(file.bytes(), range.clone())?;
        importer.node(&node)?;
    }
    let outputs: Vec<String> = header.outputs.iter().map(|output| output.name.clone()).collect();
    let finished = finish::finish(importer, &outputs, options.tap)?;
    let metadata = file.metadata().to_vec();
    Ok(Imported { bound: finished.bound, source, default_tap: finished.default_tap, metadata })
}

/// The one input, and how it takes pictures.
fn picture(header: &Header, asked: Option<(usize, usize)>) -> Result<(&Port, Source), ImportError> {
    let input = match header.inputs.as_slice() {
        [input] => input,
        [] => return Err(ImportError::Input("nothing".to_owned())),
        several => {
            let names: Vec<&str> = several.iter().map(|input| input.name.as_str()).collect();
            return Err(ImportError::Input(store::brief::few(&names)));
        }
    };
    let shown = || {
        let sides = input.sides.as_ref().map(|sides| {
            let sides: Vec<String> = sides
                .iter()
                .map(|side| side.map_or_else(|| "?".to_owned(), |side| side.to_string()))
                .collect();
            sides.join(", ")
        });
        let name = store::brief::shortened(&input.name);
        ImportError::Input(format!("`{name}` of shape ({})", sides.unwrap_or_else(|| "unknown".to_owned())))
    };
    // What whole numbers become within the model is no part of a recipe.
    const FLOATS: [u64; 5] = [0, 1, 10, 11, 16];
    if !FLOATS.contains(&input.dtype) {
        return Err(ImportError::InputType(input.name.clone()));
    }
    let Some(&[_, first, second, third]) = input.sides.as_deref() else { return Err(shown()) };
    let is_color = |side: Option<usize>| matches!(side, Some(1 | 3));
    let (layout, channels, height, width) = if is_color(third) && !is_color(first) {
        (Layout::ChannelsLast, third, first, second)
    } else {
        (Layout::ChannelsFirst, first, second, third)
    };
    let channels = channels.unwrap_or(3);
    let fixed = height.zip(width);
    let is_other = |asked: (usize, usize)| {
        height.is_some_and(|height| height != asked.0) || width.is_some_and(|width| width != asked.1)
    };
    let size = match (asked, fixed) {
        (Some(asked), _) if is_other(asked) => {
            let fixed = (height.unwrap_or(asked.0), width.unwrap_or(asked.1));
            return Err(ImportError::Size { fixed, asked });
        }
        (Some(asked), _) => asked,
        (None, Some(fixed)) => fixed,
        (None, None) => return Err(ImportError::NoSize),
    };
    if channels > 1 << 12 || size.0 > 1 << 15 || size.1 > 1 << 15 {
        return Err(shown());
    }
    let (name, is_fixed) = (input.name.clone(), fixed.is_some());
    Ok((input, Source { name, layout, channels, size, is_fixed }))
}
