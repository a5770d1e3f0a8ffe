//! Templates obey the content security policy: no code or style inside the page, nothing from another host.
//!
//! A browser would refuse these silently, on someone's screen, in one page nobody tested.

use super::rust_text::line_of;
use super::{File, Finding, Tree};

const SCRIPT: &str = "move it to a script file of the desk and hand over data in data-* attributes";
const STYLE: &str = "give it a class and write the rule in the stylesheet";
const HOST: &str = "serve it from our own assets; pages ask no other host";

pub(super) fn check(tree: &Tree, found: &mut Vec<Finding>) {
    for file in tree.under("crates/").filter(|file| file.has_ending(&["html"])) {
        check_page(file, found);
    }
    for file in tree.under("crates/").filter(|file| file.has_ending(&["css"])) {
        for (index, line) in file.text.lines().enumerate() {
            let line: String = line.chars().filter(|c| !matches!(c, ' ' | '"' | '\'')).collect();
            if ["url(http:", "url(https:", "url(//", "@importhttp", "@import//"]
                .iter()
                .any(|bad| line.contains(bad))
            {
                found.push(Finding::error(file, index + 1, "a stylesheet asks another host".into(), HOST));
            }
        }
    }
}

fn check_page(file: &File, found: &mut Vec<Finding>) {
    let page = without_askama(&file.text);
    let mut at = 0;
    while let Some(open) = page[at..].find('<').map(|open| at + open) {
        let tag = Tag::read(&page[open + 1..]);
        at = open + 1 + tag.length;
        let mut add =
            |what: String, remedy| found.push(Finding::error(file, line_of(&page, open), what, remedy));
        for (name, value) in &tag.attributes {
            if name == "style" {
                add(format!("style attribute on <{}>", tag.name), STYLE);
            } else if name.starts_with("hx-on") || is_handler(name) {
                add(format!("handler `{name}` on <{}>", tag.name), SCRIPT);
            } else if asks_elsewhere(&tag.name, name, value) {
                add(format!("<{}> loads {value}", tag.name), HOST);
            }
        }
        match tag.name.as_str() {
            "style" => add("inline <style>".into(), STYLE),
            "script" => {
                let body = page[at..].find("</script").map_or(&page[at..], |end| &page[at..at + end]);
                // A data block is not executed, so the policy lets it stand.
                let data =
                    tag.attributes.iter().any(|(name, value)| name == "type" && value.ends_with("json"));
                if !body.trim().is_empty() && !data {
                    add("inline <script>".into(), SCRIPT);
                }
                at += body.len();
            }
            _ => {}
        }
    }
}

/// `onclick` and its kin, not `one` or `on-time`.
fn is_handler(name: &str) -> bool {
    name.len() > 3 && name.starts_with("on") && name.chars().all(|c| c.is_ascii_alphabetic())
}

/// Whether an attribute makes the browser fetch from another host by itself; a link to follow is not meant.
fn asks_elsewhere(tag: &str, name: &str, value: &str) -> bool {
    let fetches = matches!(name, "src" | "srcset" | "poster" | "data")
        || matches!((tag, name), ("link" | "use" | "image", "href" | "xlink:href"));
    let value = value.trim_start();
    fetches && ["http://", "https://", "//"].iter().any(|elsewhere| value.starts_with(elsewhere))
}

/// Blanks askama's own marks and HTML comments, byte for byte, keeping lines. A printed value becomes `x`, so that an
/// attribute filled by it is not empty.
fn without_askama(text: &str) -> String {
    let mut page = String::with_capacity(text.len());
    let mut rest = text;
    let marks = [("{{", "}}", 'x'), ("{%", "%}", ' '), ("{#", "#}", ' '), ("<!--", "-->", ' ')];
    while let Some(first) = rest.chars().next() {
        let Some((_, close, fill)) = marks.iter().find(|(open, ..)| rest.starts_with(open)) else {
            page.push(first);
            rest = &rest[first.len_utf8()..];
            continue;
        };
        let end = rest.find(close).map_or(rest.len(), |end| end + close.len());
        page.extend(rest[..end].bytes().map(|byte| if byte == b'\n' { '\n' } else { *fill }));
        rest = &rest[end..];
    }
    page
}

/// A tag with lower-case names; closing tags and a bare `<` read as a tag without a name.
struct Tag {
    name: String,
    attributes: Vec<(String, String)>,
    length: usize,
}

impl Tag {
    fn read(rest: &str) -> Tag {
        let name = take(rest, |c| c.is_ascii_alphanumeric() || c == '-');
        let mut tag = Tag { name: name.to_lowercase(), attributes: Vec::new(), length: name.len() };
        if name.is_empty() {
            return tag;
        }
        let mut left = &rest[name.len()..];
        loop {
            left = left.trim_start_matches(|c: char| c.is_whitespace() || c == '/' || c == '"' || c == '\'');
            if left.is_empty() || left.starts_with(['>', '<']) {
                tag.length = rest.len() - left.strip_prefix('>').unwrap_or(left).len();
                return tag;
            }
            let name = take(left, |c| !c.is_whitespace() && !"=>/\"'<".contains(c));
            if name.is_empty() {
                left = &left[1..];
                continue;
            }
            left = &left[name.len()..];
            let value = left.trim_start().strip_prefix('=').map(str::trim_start);
            let value = value.map_or("", |after| {
                let (value, after) = quoted(after);
                left = after;
                value
            });
            tag.attributes.push((name.to_lowercase(), value.to_owned()));
        }
    }
}

/// An attribute's value and what follows it.
fn quoted(text: &str) -> (&str, &str) {
    for quote in ['"', '\''] {
        if let Some(inside) = text.strip_prefix(quote) {
            return inside.split_once(quote).unwrap_or((inside, ""));
        }
    }
    let value = take(text, |c| !c.is_whitespace() && c != '>');
    (value, &text[value.len()..])
}

fn take(text: &str, wanted: impl Fn(char) -> bool) -> &str {
    &text[..text.find(|c| !wanted(c)).unwrap_or(text.len())]
}

#[cfg(test)]
mod tests {
    use super::super::found_by;
    use super::check;

    fn lines(html: &str) -> Vec<String> {
        found_by(check, &[("crates/web/templates/a.html", html)])
    }

    #[test]
    fn code_and_style_inside_the_page_are_found() {
        for bad in [
            "<script>go()</script>",
            "<script src=\"/a.js\">go()</script>",
            "<style>a{}</style>",
            "<p style=\"color:red\">",
            "<P STYLE=x>",
            "<button type=button onclick='go()'>",
            "<div hx-on:click=\"go()\">",
            "<a class=\"{% if a == \"b\" %}c{% endif %}\" onfocus=\"{{ d }}\">",
        ] {
            assert_eq!(lines(&format!("<p>fine</p>\n{bad}")), ["crates/web/templates/a.html:2"], "{bad}");
        }
    }

    #[test]
    fn assets_of_other_hosts_are_found() {
        for bad in [
            "<script src=\"https://cdn.example/a.js\"></script>",
            "<img src=//cdn.example/a.png>",
            "<link rel=stylesheet href=\"http://cdn.example/a.css\">",
        ] {
            assert_eq!(lines(bad).len(), 1, "{bad}");
        }
        let css =
            "a { background: url( 'https://cdn.example/a.png' ) }\n@import \"https://cdn.example/b.css\";";
        assert_eq!(found_by(check, &[("crates/web/a.css", css)]).len(), 2);
    }

    #[test]
    fn what_the_policy_allows_is_left_alone() {
        for good in [
            "<script src=\"{{ \"desk.js\"|asset }}\" defer></script>",
            "<script type=\"application/json\" id=\"rows\">{{ rows }}</script>",
            "<a href=\"https://www.gov.cn/\">policy</a>",
            "<svg xmlns=\"http://www.w3.org/2000/svg\"><use href=\"{{ \"icons.svg\"|asset }}#sun\"/></svg>",
            "{# <script>go()</script> style=\"a\" #}<!-- <p style=x> -->",
            "{% if a < b && c > d %}<input name=\"one\" value=\"{{ a|f(\"style=x\") }}\">{% endif %}",
            "<p>style=\"x\" onclick=\"y\" 1 < 2</p>",
        ] {
            assert!(lines(good).is_empty(), "{good}");
        }
    }
}
