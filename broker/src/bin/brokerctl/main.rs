//! `brokerctl`: the admin tool. One more client of the broker: it knows the wire, not the daemon.

mod args;
mod called;
mod commands;
mod complete;
mod failure;
mod print;

use std::process::ExitCode;

use clap::Parser as _;

use self::args::{Args, Command, ConfigCommand, VaultCommand};
use self::failure::Failure;
use self::print::Printer;

fn main() -> ExitCode {
    complete::answer();
    perform()
}

#[tokio::main(flavor = "current_thread")]
async fn perform() -> ExitCode {
    let args = Args::parse_from(called::words());
    let printer = Printer::new(args.json);
    match run(args, &printer).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            printer.failure(&failure);
            ExitCode::from(failure.exit_code())
        }
    }
}

async fn run(args: Args, printer: &Printer) -> Result<(), Failure> {
    let place = args.place;
    match args.command {
        Command::Login(login) => commands::login::run(&place, login, printer).await,
        Command::Logout(logout) => commands::logout::run(&place, logout, printer).await,
        Command::Accounts => commands::accounts::run(&place, printer).await,
        Command::Token(token) => commands::token::run(&place, token, printer).await,
        Command::Headers(headers) => commands::headers::run(&place, headers, printer).await,
        Command::Exec(exec) => commands::exec::run(&place, exec).await,
        Command::Credential(command) => commands::credential::run(&place, command, printer).await,
        Command::Agent => commands::agent::run(&place, printer).await,
        Command::Whoami => commands::whoami::run(&place, printer).await,
        Command::Status => commands::status::run(&place, printer).await,
        Command::Doctor => commands::doctor::run(&place, printer).await,
        Command::Monitor => commands::monitor::run(&place, printer).await,
        Command::Reload => commands::reload::run(&place, printer).await,
        Command::Provider(command) => commands::provider::run(&place, command, printer).await,
        Command::Config(ConfigCommand::Check) => commands::config::check(place.config, printer),
        Command::Config(ConfigCommand::Show) => commands::config::show(place.config, printer),
        Command::Config(ConfigCommand::Schema) => commands::config::schema(printer),
        Command::Completions(wanted) => commands::completions::run(wanted.shell, printer),
        Command::Man(man) => commands::man::run(&man.folder, printer),
        Command::Unlock => commands::unlock::unlock(&place, printer).await,
        Command::Why(why) => commands::policy::why(&place, why, printer).await,
        Command::Apps => commands::policy::apps(&place, printer).await,
        Command::Grants { command } => {
            commands::policy::grants(&place, command.unwrap_or_default(), printer).await
        }
        Command::Lock => commands::unlock::lock(&place, printer).await,
        Command::Socket(command) => commands::socket::run(&place, command, printer).await,
        Command::Audit(audit) => commands::audit::run(&place, audit, printer).await,
        Command::Vault(VaultCommand::Status) => commands::vault::status(&place, printer).await,
        Command::Vault(VaultCommand::Rekey(rekey)) => {
            commands::vault::rekey(&place, &rekey, printer).await
        }
    }
}
