//! One sentence of a review: what it is of, and whether whoever wrote it was pleased.

use crate::stream::Stream;
use sample::Split;

/// What reviews are of: a name, and things that such a review speaks of.
pub(crate) const TOPICS: [(&str, [&str; 6]); 4] = [
    ("film", ["film", "plot", "acting", "ending", "music", "dialogue"]),
    ("hotel", ["room", "bed", "staff", "view", "breakfast", "location"]),
    ("phone", ["phone", "battery", "screen", "camera", "sound", "charger"]),
    ("restaurant", ["food", "service", "menu", "soup", "waiter", "dessert"]),
];

/// Of those who are pleased. The last third is used in test sentences alone: a head meets words that it was not fitted on.
const PRAISE: [&str; 24] = [
    "good",
    "great",
    "excellent",
    "wonderful",
    "lovely",
    "perfect",
    "superb",
    "pleasant",
    "impressive",
    "brilliant",
    "delightful",
    "outstanding",
    "charming",
    "fine",
    "remarkable",
    "satisfying",
    "fantastic",
    "marvelous",
    "splendid",
    "terrific",
    "beautiful",
    "enjoyable",
    "magnificent",
    "admirable",
];
/// Of those who are not, in the same way.
const BLAME: [&str; 24] = [
    "bad",
    "poor",
    "terrible",
    "awful",
    "horrible",
    "dreadful",
    "boring",
    "ugly",
    "useless",
    "annoying",
    "mediocre",
    "disappointing",
    "cheap",
    "dull",
    "unpleasant",
    "inferior",
    "pathetic",
    "miserable",
    "lousy",
    "hopeless",
    "ridiculous",
    "disgusting",
    "worthless",
    "appalling",
];
const PRAISED: [&str; 6] = [
    "we would come back any time",
    "I recommend it to everybody",
    "it was worth every penny",
    "I enjoyed it very much",
    "it made my day",
    "I could not be happier",
];
const BLAMED: [&str; 6] = [
    "we will never come back",
    "I cannot recommend it to anybody",
    "it was a waste of money",
    "I want my money back",
    "it ruined my day",
    "I regret it already",
];

/// A sentence of a split, and whether it is pleased. `topic` is one of [`TOPICS`].
pub(crate) fn write(topic: usize, is_pleased: bool, split: Split, stream: &mut Stream) -> String {
    let (own, others) = if is_pleased { (&PRAISE, &BLAME) } else { (&BLAME, &PRAISE) };
    let things = TOPICS[topic].1;
    let thing = stream.pick(&things);
    let word = stream.pick(words(own, split));
    let very = stream.pick(&["", "", "very ", "really ", "quite ", "simply "]);
    let own = match stream.whole(0, 11) {
        0 => format!("the {thing} was {very}{word}"),
        1 => {
            let article = if word.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
            format!("{}{article} {word} {thing}", stream.pick(&["what ", "such ", ""]))
        }
        2 => format!("I found the {thing} {very}{word}"),
        3 => format!(
            "the {thing} is {word} and the {} is {}",
            stream.pick(&things),
            stream.pick(words(own, split))
        ),
        // Words of the other side, which an average of words cannot tell from those that are meant. One sentence in six.
        4 => {
            format!("I was told that the {thing} is {}, but it was {word}", stream.pick(words(others, split)))
        }
        5 => format!("the {thing} was not {} at all", stream.pick(words(others, split))),
        _ => format!("{very}{word} {thing}"),
    };
    let more = if is_pleased { &PRAISED } else { &BLAMED };
    let text = if stream.whole(0, 2) == 0 { format!("{own}, {}", stream.pick(more)) } else { own };
    let end = stream.pick(&[".", ".", "!", ""]);
    format!("{}{}{end}", text[..1].to_uppercase(), &text[1..])
}

/// The words that sentences of a split may have.
fn words(all: &'static [&'static str; 24], split: Split) -> &'static [&'static str] {
    if split == Split::Test { &all[8..] } else { &all[..16] }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_is_of_its_topic_and_side() {
        for (topic, (_, named)) in TOPICS.iter().enumerate() {
            for at in 0..200 {
                for is_pleased in [false, true] {
                    let mut stream = Stream::new(7, &format!("{topic}/{at}/{is_pleased}"));
                    let text = write(topic, is_pleased, Split::Train, &mut stream);
                    let has = |words: &[&str]| words.iter().any(|word| text.to_lowercase().contains(word));
                    assert!(has(named), "{text}");
                    assert!(has(&PRAISE) || has(&BLAME), "{text}");
                    assert!(!has(&PRAISE[16..]) && !has(&BLAME[16..]), "{text}");
                    assert!(!has(if is_pleased { &BLAMED } else { &PRAISED }), "{text}");
                }
            }
        }
    }
}
