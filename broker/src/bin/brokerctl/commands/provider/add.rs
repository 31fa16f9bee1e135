//! `brokerctl provider add`: a client that is registered already.

use authbroker::config::NewClientAuth;

use super::draft::{Draft, whole};
use crate::args::{Add, Place};
use crate::failure::Failure;
use crate::print::Printer;

pub(super) async fn run(place: &Place, add: Add, printer: &Printer) -> Result<(), Failure> {
    let client_auth = client_auth(&add)?;
    let Add { entry, client_id, .. } = add;
    let draft = Draft::of(place, entry, printer, |provider| {
        provider.client_id = client_id;
        provider.client_auth = client_auth;
        "Added by brokerctl provider add.".clone_into(&mut provider.remark);
    });
    draft.await?.add(place, printer).await
}

/// What the client proves itself with.
fn client_auth(add: &Add) -> Result<Option<NewClientAuth>, Failure> {
    let (method, member, file) = match (&add.secret_file, &add.key_file) {
        (Some(file), _) => ("client_secret_basic", "file", file),
        (None, Some(file)) => ("private_key_jwt", "key_file", file),
        (None, None) => return Ok(None),
    };
    let file = whole(file)?;
    Ok(Some(NewClientAuth { method, member, file }))
}
