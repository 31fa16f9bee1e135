//! The `credential_process` of the AWS tools: keys for a while, by a web-identity exchange.

use std::time::Duration;

use authbroker::web_identity::{self, KeysWanted};
use serde_json::json;

use super::{USEFUL, bearer, client};
use crate::args::{Aws, Place};
use crate::failure::Failure;
use crate::print::Printer;

pub(super) async fn run(place: &Place, args: Aws, printer: &Printer) -> Result<(), Failure> {
    let token = client(place).await?.token(args.wanted.request().min_ttl(USEFUL)).await?;
    let token = bearer(token)?;
    let wanted = KeysWanted {
        role: args.role_arn,
        session: args.session_name,
        lifetime: args.duration.map(|seconds| Duration::from_secs(u64::from(seconds))),
    };
    let (endpoint, ca_file) = (&args.sts_endpoint, args.ca_file.as_deref());
    let keys = web_identity::exchange(endpoint, ca_file, token.expose(), &wanted).await?;
    printer.document(&json!({
        "Version": 1,
        "AccessKeyId": keys.access_key_id,
        "SecretAccessKey": keys.secret_access_key.expose(),
        "SessionToken": keys.session_token.expose(),
        "Expiration": keys.expiration,
    }))?;
    Ok(())
}
