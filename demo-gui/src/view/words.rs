//! Text, in the few ways in which this window says something.

use std::sync::Arc;

use eframe::egui::accesskit::{Live, Role};
use eframe::egui::{
    Align, FontId, Galley, Id, Label, RichText, TextStyle, Ui, Widget as _, WidgetText,
};

use crate::theme::{LINE, Palette};

/// The one line that says where we are. Changes are read out.
pub(super) fn heading(ui: &mut Ui, text: &str) {
    let id = titled(ui, RichText::new(text).heading(), text);
    ui.ctx().accesskit_node_builder(id, |node| node.set_live(Live::Polite));
}

/// What a part of it is about.
pub(super) fn subheading(ui: &mut Ui, text: &str) {
    let colour = Palette::of(ui).accent;
    titled(ui, RichText::new(text).small().color(colour), text);
}

fn titled(ui: &mut Ui, look: RichText, text: &str) -> Id {
    let said = Label::new(look).wrap().ui(ui);
    ui.ctx().accesskit_node_builder(said.id, |node| {
        node.set_role(Role::Heading);
        // A label's text is its value; a heading's is its name.
        node.set_label(text);
        node.clear_value();
    });
    said.id
}

/// A sentence.
pub(super) fn text(ui: &mut Ui, text: &str) {
    ui.label(plain(text));
}

/// A sentence in the middle.
pub(super) fn centred(ui: &mut Ui, text: &str) {
    let galley = balanced(ui, plain(text).into());
    ui.label(galley);
}

/// A sentence in the middle, of less weight.
pub(super) fn soft(ui: &mut Ui, text: &str) {
    let colour = Palette::of(ui).soft;
    let galley = balanced(ui, plain(text).color(colour).into());
    ui.label(galley);
}

/// Text with room between its lines.
pub(super) fn plain(text: &str) -> RichText {
    RichText::new(text).line_height(Some(LINE))
}

/// Lays text out in lines of about the same length: no single word is left on the last.
fn balanced(ui: &Ui, text: WidgetText) -> Arc<Galley> {
    // Words do not divide evenly.
    const SLACK: f32 = 1.15;
    let job = text.into_layout_job(ui.style(), TextStyle::Body.into(), Align::Center);
    let mut job = Arc::unwrap_or_clone(job);
    job.wrap.max_width = f32::INFINITY;
    let (room, length) =
        (ui.available_width(), ui.fonts_mut(|f| f.layout_job(job.clone())).size().x);
    let lines = (length / room).ceil().max(1.0);
    job.wrap.max_width = if lines > 1.0 { (length / lines * SLACK).min(room) } else { room };
    job.halign = Align::Center;
    ui.fonts_mut(|fonts| fonts.layout_job(job))
}

/// A code that a person types in elsewhere, letter by letter. It can be selected.
pub(super) fn code(ui: &mut Ui, code: &str) {
    let text = RichText::new(code).monospace().size(28.0).color(Palette::of(ui).accent);
    announce(ui, text);
}

/// A line that is read out when it comes.
pub(super) fn announce(ui: &mut Ui, text: RichText) {
    let said = Label::new(text).wrap().ui(ui);
    ui.ctx().accesskit_node_builder(said.id, |node| node.set_live(Live::Polite));
}

/// What helps: a command, mostly.
pub(super) fn hint(ui: &mut Ui, hint: &str) {
    if !hint.is_empty() {
        let colour = Palette::of(ui).soft;
        ui.label(plain(hint).color(colour));
    }
}

/// The library's messages begin small, as errors do that are strung together; a sentence does not.
/// A name at its beginning stays as it is.
pub(super) fn sentence(message: &str) -> String {
    let mut rest = message.chars();
    let first = message.split_whitespace().next().unwrap_or_default();
    if !first.chars().all(char::is_alphabetic) {
        return message.to_owned();
    }
    rest.next().map_or_else(String::new, |first| first.to_uppercase().chain(rest).collect())
}

/// The type of a face's initials.
pub(super) fn large(ui: &Ui) -> FontId {
    let mut font = TextStyle::Heading.resolve(ui.style());
    font.size = 34.0;
    font
}

#[cfg(test)]
mod tests {
    use super::sentence;

    #[test]
    fn a_sentence_begins_large_unless_it_begins_with_a_name() {
        assert_eq!(sentence("no broker is running"), "No broker is running");
        assert_eq!(sentence("login.example is away"), "login.example is away");
        assert_eq!(sentence("API down"), "API down");
        assert_eq!(sentence(""), "");
    }
}
