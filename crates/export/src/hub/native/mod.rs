//! Networks that transformers builds itself. What their configurations say is read off our graphs, so that networks of the zoo
//! and of other people's folders go the same way.

mod convolutions;
mod transformer;
mod windows;

use super::layout::Layout;
use network::{Dialect, Network, Stored, zoo};

/// How transformers holds a network for pictures of that height and width; `None` where no class of its does exactly.
pub(crate) fn layout(network: &Network, size: (usize, usize)) -> Option<Layout> {
    let name = network.name();
    let is = |family: &str| name.starts_with(family);
    let is_plain = name.strip_prefix("resnet").is_some_and(|rest| rest.chars().all(|c| c.is_ascii_digit()));
    match name {
        _ if is_plain => convolutions::residual(network),
        _ if is("regnet") => convolutions::reg(network),
        _ if is("convnext") => convolutions::convnext(network),
        _ if is("swin") => windows::swin(network, size),
        _ if ["vit", "deit", "dinov2", "siglip"].iter().any(|family| is(family)) => {
            transformer::layout(network, size)
        }
        _ => None,
    }
}

/// Where transformers' files keep the parameters of a family's networks, the backbone's below `prefix`; `which` of its ways,
/// and `like` a network of the family.
fn place(like: &str, which: usize, prefix: &'static str) -> Option<impl Fn(&str) -> Stored + 'static> {
    let dialect: Dialect = zoo::dialects(like).filter(|dialect| dialect.name == "transformers").nth(which)?;
    Some(move |param: &str| dialect.place(param).below(prefix))
}
