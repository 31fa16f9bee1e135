//! Reads what a sign-in needs out of this provider's own pages: the form, the title, the text.
//! It knows attributes in double quotes and the five character references that we write.

/// A form, as it would be sent.
#[derive(Clone, Debug, Default)]
pub(super) struct Form {
    pub(super) method: Method,
    pub(super) action: String,
    pub(super) fields: Vec<(String, String)>,
}

/// How a form is sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Method {
    /// In the query.
    #[default]
    Get,
    /// In the body.
    Post,
}

impl Form {
    pub(super) fn set(&mut self, name: &str, value: &str) {
        self.fields.retain(|(known, _)| known != name);
        self.fields.push((name.to_owned(), value.to_owned()));
    }
}

/// The page's first form, with the values its fields have.
pub(super) fn form(page: &str) -> Option<Form> {
    let start = page.find("<form ")?;
    let end = page[start..].find("</form>")? + start;
    let mut tags = tags(&page[start..end]);
    let form = tags.next()?;
    let post = attribute(form, "method").is_some_and(|method| method == "post");
    let fields = tags.filter(|tag| tag.starts_with("input")).filter_map(|tag| {
        Some((attribute(tag, "name")?, attribute(tag, "value").unwrap_or_default()))
    });
    Some(Form {
        method: if post { Method::Post } else { Method::Get },
        action: attribute(form, "action")?,
        fields: fields.collect(),
    })
}

pub(super) fn title(page: &str) -> String {
    unescape(between(page, "<title>", "</title>").unwrap_or_default().trim())
}

/// What the page alerts to, such as a wrong password.
pub(super) fn alert(page: &str) -> String {
    unescape(between(page, "role=\"alert\">", "</").unwrap_or_default())
}

/// The page's text with blanks collapsed; of a page without a `<body>`, all of it.
pub(super) fn text(page: &str) -> String {
    let body = page.find("<body").map_or(page, |start| &page[start..]);
    let mut text = String::new();
    let mut rest = body;
    while let Some((before, tag)) = rest.split_once('<') {
        text.push_str(before);
        text.push(' ');
        rest = tag.split_once('>').map_or("", |(_, after)| after);
    }
    text.push_str(rest);
    unescape(&text.split_whitespace().collect::<Vec<_>>().join(" "))
}

fn tags(html: &str) -> impl Iterator<Item = &str> {
    html.split('<').skip(1).filter_map(|piece| piece.split_once('>')).map(|(tag, _)| tag)
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    between(tag, &format!(" {name}=\""), "\"").map(unescape)
}

fn between<'a>(text: &'a str, before: &str, after: &str) -> Option<&'a str> {
    text.split_once(before)?.1.split_once(after).map(|(found, _)| found)
}

fn unescape(text: &str) -> String {
    let references =
        [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&amp;", "&")];
    references.iter().fold(text.to_owned(), |text, (from, to)| text.replace(from, to))
}

#[cfg(test)]
mod tests {
    use super::{Method, form, text};

    #[test]
    fn a_form_is_read_with_its_values() {
        let page = r#"<form method="post" action="/x"><input name="a" value="1 &amp; 2">
            <input name="b"><button name="c" value="d">Go</button></form>"#;
        let form = form(page).unwrap_or_default();
        assert_eq!((form.method, form.action.as_str()), (Method::Post, "/x"));
        let fields = [("a", "1 & 2"), ("b", "")].map(|(a, b)| (a.to_owned(), b.to_owned()));
        assert_eq!(form.fields, fields);
    }

    #[test]
    fn text_is_what_stands_between_the_tags() {
        let page = "<head><title>T</title></head><body><h1>You are</h1>\n <p>in &lt;here&gt;</p>";
        assert_eq!(text(page), "You are in <here>");
    }
}
