//! The shape of every sealed file: a line of JSON that anybody may read, then the sealed rest. The
//! line is authenticated with the rest.

use serde::Serialize;

use super::VaultError;
use super::seal::Key;

/// Seals `plain` behind a header.
pub(super) fn close(
    header: &impl Serialize,
    plain: &[u8],
    key: &Key,
) -> Result<Vec<u8>, VaultError> {
    let mut bytes = serde_json::to_vec(header).map_err(unwritable)?;
    let mut sealed = key.seal(&bytes, plain)?;
    bytes.push(b'\n');
    bytes.append(&mut sealed);
    Ok(bytes)
}

/// The header and the sealed rest, or `None` where the end of the header is missing.
pub(super) fn split(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = bytes.iter().position(|byte| *byte == b'\n')?;
    Some((&bytes[..end], &bytes[end + 1..]))
}

#[expect(clippy::needless_pass_by_value, reason = "used with map_err")]
pub(super) fn unwritable(error: serde_json::Error) -> VaultError {
    // Maps and texts can always be written as JSON.
    VaultError::Damaged(format!("this cannot be written: {error}"))
}
