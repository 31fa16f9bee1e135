//! The dialog's window.

use std::io;
use std::path::PathBuf;

use eframe::egui::{Context, Ui, UserAttentionType, ViewportBuilder, ViewportCommand};
use eframe::{CreationContext, Frame, NativeOptions};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::dialog::{Answer, Dialog};
use super::view;
use super::worker::{self, Heard};
use crate::args::Theme;
use crate::{mark, theme};

/// All of a usual question, and every answer to it.
const USUAL_SIZE: [f32; 2] = [480.0, 640.0];
const SMALLEST_SIZE: [f32; 2] = [360.0, 480.0];

/// Opens the dialog and asks in it until it is closed. `runtime_dir` is where the broker's sockets
/// are; `None` for the usual place.
pub fn open(runtime_dir: Option<PathBuf>, colours: Theme) -> eframe::Result {
    let title = "authbroker asks";
    let viewport = ViewportBuilder::default()
        .with_title(title)
        .with_app_id("org.authbroker.Agent")
        .with_icon(mark::icon(theme::LIGHT.accent, theme::LIGHT.on_accent))
        .with_inner_size(USUAL_SIZE)
        .with_min_inner_size(SMALLEST_SIZE);
    let options = NativeOptions { viewport, ..NativeOptions::default() };
    eframe::run_native(
        title,
        options,
        Box::new(move |context| Ok(Box::new(App::new(runtime_dir, colours, context)?))),
    )
}

struct App {
    dialog: Dialog,
    answers: UnboundedSender<(u64, Answer)>,
    heard: UnboundedReceiver<Heard>,
    /// Ends the worker when the window is gone.
    _runtime: Runtime,
}

impl App {
    fn new(
        runtime_dir: Option<PathBuf>,
        colours: Theme,
        context: &CreationContext<'_>,
    ) -> io::Result<Self> {
        theme::apply(&context.egui_ctx, colours);
        let window = context.egui_ctx.clone();
        let (tell, heard) = unbounded_channel();
        let (answers, inbox) = unbounded_channel();
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        runtime.spawn(worker::run(runtime_dir, inbox, move |news| {
            // Fails only when the window is closing.
            let _ = tell.send(news);
            window.request_repaint();
        }));
        Ok(Self { dialog: Dialog::default(), answers, heard, _runtime: runtime })
    }
}

impl eframe::App for App {
    fn logic(&mut self, ctx: &Context, _frame: &mut Frame) {
        while let Ok(heard) = self.heard.try_recv() {
            match heard {
                Heard::News(news) => {
                    if news.question.is_some() {
                        // It asks to be seen, and takes the keyboard from nobody.
                        let attention = UserAttentionType::Informational;
                        ctx.send_viewport_cmd(ViewportCommand::RequestUserAttention(attention));
                    }
                    self.dialog.heard(*news);
                }
                Heard::Lost(what, hint) => self.dialog.lost(what, hint),
            }
        }
    }

    fn ui(&mut self, ui: &mut Ui, _frame: &mut Frame) {
        if let Some(answer) = view::show(ui, &mut self.dialog)
            && let Some(question) = self.dialog.answered()
        {
            // Fails only when the worker is gone, and then the window is closing.
            let _ = self.answers.send((question, answer));
            ui.ctx().request_repaint();
        }
    }
}
