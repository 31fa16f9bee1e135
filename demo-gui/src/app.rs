//! The window: ties the model, the view and the worker together, on eframe.
//!
//! The window's thread draws and decides, and never waits. The worker's runtime has a thread of its
//! own and wakes the window when it has news; without news and without a person, nothing is drawn.

use eframe::egui::{ColorImage, Context, TextureHandle, TextureOptions, Ui, ViewportBuilder};
use eframe::{CreationContext, Frame, NativeOptions};
use jiff::Zoned;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::watch;

use crate::args::{self, Args};
use crate::desktop::{self, Scheme};
use crate::messages::{Command, Event, Outbox, Picture};
use crate::model::Model;
use crate::view::{self, Scene};
use crate::{mark, theme, worker};

const USUAL_SIZE: [f32; 2] = [480.0, 640.0];
const SMALLEST_SIZE: [f32; 2] = [360.0, 400.0];

/// Opens the window and shows it until it is closed.
pub fn open(args: Args) -> eframe::Result {
    let viewport = ViewportBuilder::default()
        .with_title(&args.title)
        .with_app_id("org.authbroker.Demo")
        .with_icon(mark::icon(theme::LIGHT.accent, theme::LIGHT.on_accent))
        .with_inner_size(USUAL_SIZE)
        .with_min_inner_size(SMALLEST_SIZE);
    let options = NativeOptions { viewport, ..NativeOptions::default() };
    let title = args.title.clone();
    let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let runtime = runtime.map_err(|error| eframe::Error::AppCreation(error.into()))?;
    // The desktop is asked while the window is being made.
    let scheme = (args.theme == args::Theme::System).then(|| desktop::follow(&runtime));
    let app = |context: &CreationContext<'_>| App::new(args, runtime, scheme, context);
    eframe::run_native(&title, options, Box::new(|context| Ok(Box::new(app(context)))))
}

struct App {
    title: String,
    model: Model,
    /// The picture on the graphics card, and the address that it came from.
    portrait: Option<(String, TextureHandle)>,
    commands: UnboundedSender<Command>,
    events: UnboundedReceiver<Event>,
    /// Ends the worker when the window is gone.
    _runtime: Runtime,
}

impl App {
    fn new(
        args: Args,
        runtime: Runtime,
        scheme: Option<watch::Receiver<Scheme>>,
        context: &CreationContext<'_>,
    ) -> Self {
        theme::apply(&context.egui_ctx, args.theme);
        if let Some(scheme) = scheme {
            follow_desktop(&runtime, scheme, &context.egui_ctx);
        }
        let window = context.egui_ctx.clone();
        let (outbox, events) = Outbox::new(move || window.request_repaint());
        let (commands, inbox) = unbounded_channel();
        runtime.spawn(worker::run(args.settings(), inbox, outbox));
        let model = Model::new(args.account);
        Self { title: args.title, model, portrait: None, commands, events, _runtime: runtime }
    }

    fn hear(&mut self, ctx: &Context, event: Event) {
        if let Event::Picture(address, picture) = &event {
            self.portrait = Some((address.clone(), upload(ctx, picture)));
        }
        for command in self.model.heard(event) {
            self.send(command);
        }
    }

    fn send(&self, command: Command) {
        // Fails only when the worker is gone, and then the window is closing.
        let _ = self.commands.send(command);
    }

    /// The picture of the account that is shown, once it is here.
    fn portrait(&self) -> Option<&TextureHandle> {
        let account = self.model.state().account()?;
        let (address, texture) = self.portrait.as_ref()?;
        (*address == account.picture).then_some(texture)
    }
}

impl eframe::App for App {
    fn logic(&mut self, ctx: &Context, _frame: &mut Frame) {
        while let Ok(event) = self.events.try_recv() {
            self.hear(ctx, event);
        }
    }

    fn ui(&mut self, ui: &mut Ui, _frame: &mut Frame) {
        let scene = Scene {
            title: &self.title,
            state: self.model.state(),
            portrait: self.portrait(),
            details: self.model.details(),
            now: &Zoned::now(),
        };
        if let Some(intent) = view::show(ui, scene) {
            self.model.wanted(intent).into_iter().for_each(|command| self.send(command));
            ui.ctx().request_repaint();
        }
    }
}

/// Shows the colours that the desktop prefers, from the first frame on, and whenever it changes.
fn follow_desktop(runtime: &Runtime, mut scheme: watch::Receiver<Scheme>, ctx: &Context) {
    theme::prefer(ctx, desktop::first_word(runtime, &mut scheme));
    let ctx = ctx.clone();
    runtime.spawn(async move {
        while scheme.changed().await.is_ok() {
            theme::prefer(&ctx, *scheme.borrow_and_update());
        }
    });
}

fn upload(ctx: &Context, picture: &Picture) -> TextureHandle {
    let side = usize::from(Picture::SIDE);
    let image = ColorImage::from_rgba_unmultiplied([side, side], &picture.rgba);
    ctx.load_texture("portrait", image, TextureOptions::LINEAR)
}
