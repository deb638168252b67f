//! The document: headings and an outline, which a reader without scripts has as well, then style,
//! data and scripts.

use std::fmt::Write as _;

use serde::Serialize;

use crate::{
    json, order,
    page::{Outputs, Page},
    sections::{self, Section},
};

const STYLE: &str = concat!(
    include_str!("../assets/base.css"),
    include_str!("../assets/controls.css"),
    include_str!("../assets/plots.css"),
    include_str!("../assets/tables.css"),
    include_str!("../assets/canvases.css"),
    include_str!("../assets/pictures.css"),
    include_str!("../assets/narrow.css"),
    include_str!("../assets/print.css"),
);

/// One after the other they are one script; `main.js` starts it.
const SCRIPTS: [&str; 24] = [
    include_str!("../assets/core.js"),
    include_str!("../assets/format.js"),
    include_str!("../assets/colour.js"),
    include_str!("../assets/focus.js"),
    include_str!("../assets/plot.js"),
    include_str!("../assets/table.js"),
    include_str!("../assets/summary.js"),
    include_str!("../assets/viewport.js"),
    include_str!("../assets/cells.js"),
    include_str!("../assets/matrix.js"),
    include_str!("../assets/confusion.js"),
    include_str!("../assets/samples.js"),
    include_str!("../assets/calibration.js"),
    include_str!("../assets/curves.js"),
    include_str!("../assets/classes.js"),
    include_str!("../assets/values.js"),
    include_str!("../assets/fit.js"),
    include_str!("../assets/galleries.js"),
    include_str!("../assets/slices.js"),
    include_str!("../assets/points.js"),
    include_str!("../assets/legend.js"),
    include_str!("../assets/painters.js"),
    include_str!("../assets/map.js"),
    include_str!("../assets/main.js"),
];

/// What the scripts read.
#[derive(Serialize)]
struct Data<'a> {
    page: &'a Page,
    /// Classes as the confusion matrix shows them at first.
    order: Vec<u32>,
}

/// The page as one HTML document.
///
/// # Panics
///
/// Where [`Page::check`] finds an error.
pub fn render(page: &Page) -> String {
    if let Err(error) = page.check() {
        panic!("not a page: {error}");
    }
    let cells = page.confusion.as_ref().map_or(&[][..], |confusion| &confusion.cells);
    let order = if cells.is_empty() { Vec::new() } else { order::by_similarity(page.classes.len(), cells) };
    let data = json::to_script(&Data { page, order });
    document(page, &data)
}

fn document(page: &Page, data: &str) -> String {
    let title = escape(&page.summary.title);
    let (mut outline, mut sections) = (String::new(), String::new());
    for (i, Section { id, title, .. }) in sections::of(page).enumerate() {
        let title = match *id {
            "classes" => page.outputs.heading(),
            "mislabels" => page.outputs.suspects(),
            "mistakes" if page.outputs != Outputs::Class => "Hardest rows",
            _ => title,
        };
        let number = i + 1;
        let entry = format!("<li><a href=\"#{id}\">{title}</a></li>\n");
        let section = format!(
            "<section id=\"{id}\" aria-labelledby=\"{id}-title\">\
            <h2 id=\"{id}-title\"><span class=\"number\">{number}</span> {title}</h2></section>\n"
        );
        outline.push_str(&entry);
        sections.push_str(&section);
    }
    let mut out = String::with_capacity(data.len() + (1 << 17));
    // Nothing may be fetched, whatever the data say.
    let policy = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'; \
        base-uri 'none'; form-action 'none'";
    let written = write!(
        out,
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
        <meta http-equiv=\"Content-Security-Policy\" content=\"{policy}\">\n\
        <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
        <meta name=\"color-scheme\" content=\"light dark\">\n\
        <title>{title}</title>\n<link rel=\"icon\" href=\"data:,\">\n<style>\n{STYLE}</style>\n</head>\n<body>\n\
        <a class=\"skip\" href=\"#summary\">Skip to the summary</a>\n\
        <header><div id=\"masthead\"><h1>{title}</h1></div></header>\n\
        <nav aria-label=\"Contents\"><ol>\n{outline}</ol></nav>\n\
        <main>\n{sections}</main>\n\
        <noscript><p class=\"noscript\">The figures of this page are drawn by its own scripts, which are \
        switched off.</p></noscript>\n\
        <script type=\"application/json\" id=\"data\">{data}</script>\n<script>\n\"use strict\";\n(() => {{\n"
    );
    written.expect("a String takes whatever is written");
    for script in SCRIPTS {
        out.push_str(script);
    }
    out.push_str("})();\n</script>\n</body>\n</html>\n");
    out
}

/// Text for an element's content or a quoted attribute.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            _ => out.push(character),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::page::{Cell, Confusion, Summary};

    fn page() -> Page {
        Page {
            summary: Summary {
                title: "</title><script>alert(1)</script> & \"co\"".to_owned(),
                ..Summary::default()
            },
            classes: vec!["</script>".to_owned(), "dog".to_owned()],
            confusion: Some(Confusion { cells: vec![Cell { truth: 0, predicted: 1, count: 3 }] }),
            ..Page::default()
        }
    }

    #[test]
    fn data_cannot_leave_their_place() {
        let html = render(&page());
        assert_eq!(html.matches("<script").count(), 2);
        assert_eq!(html.matches("</script>").count(), 2);
        assert_eq!(html.matches("</style>").count(), 1);
        assert_eq!(html.matches("</title>").count(), 1);
        let (_, data) = html.split_once("id=\"data\">").unwrap();
        let (data, _) = data.split_once("</script>").unwrap();
        let read: serde_json::Value = serde_json::from_str(data).unwrap();
        assert_eq!(read["page"]["classes"][0], "</script>");
        assert_eq!(read["order"], serde_json::json!([0, 1]));
    }

    #[test]
    fn equal_pages_give_equal_bytes() {
        assert_eq!(render(&page()), render(&page().clone()));
    }

    #[test]
    fn every_section_has_a_script() {
        let main = SCRIPTS[SCRIPTS.len() - 1];
        for id in sections::ids() {
            assert!(main.contains(&format!("\n  {id}: {id}Section,\n")), "{id}");
        }
    }

    #[test]
    fn sections_disappear() {
        let html = render(&page());
        assert!(html.contains("<section id=\"confusion\"") && html.contains("href=\"#confusion\""));
        let html = render(&Page { confusion: None, ..page() });
        assert!(!html.contains("<section id=\"confusion\"") && !html.contains("href=\"#confusion\""));
    }

    #[test]
    fn nothing_is_fetched() {
        let html = render(&page());
        // Namespaces of SVG are names, not addresses.
        let html = html.replace("http://www.w3.org/", "");
        for address in ["http:", "https:", "@import", "url(", "import("] {
            assert!(!html.contains(address), "{address}");
        }
    }

    #[test]
    #[should_panic(expected = "class of a confusion is 1, but there are only 1")]
    fn what_does_not_fit_is_not_set() {
        let mut page = page();
        page.classes.pop();
        render(&page);
    }
}
