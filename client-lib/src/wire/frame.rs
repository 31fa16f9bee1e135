//! The Varlink envelope: calls, replies, and the NUL byte between them.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::{RawValue, to_raw_value};
use tokio_util::codec::AnyDelimiterCodec;

/// The longest message that the broker reads, in bytes: it has to bound what peers send. Any call
/// fits many times over.
pub const MAX_MESSAGE: usize = 64 * 1024;

/// The longest answer that a client reads, in bytes: the broker is trusted with more, and a list of
/// every account may be long. Other people's Varlink libraries draw the line at the same place.
pub const MAX_ANSWER: usize = 16 * 1024 * 1024;

/// A codec for one connection: JSON texts, each ended by a NUL byte, and at most `longest` bytes
/// long where they are read.
pub fn codec(longest: usize) -> AnyDelimiterCodec {
    AnyDelimiterCodec::new_with_max_length(vec![0], vec![0], longest)
}

/// A call, as it travels to the broker.
#[derive(Debug, Serialize, Deserialize)]
pub struct Call {
    /// Interface and method, parted by the last dot.
    pub method: String,
    /// The method's parameters: an object.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub parameters: Value,
    /// Whether the caller takes several replies.
    #[serde(default, skip_serializing_if = "is_false")]
    pub more: bool,
    /// Whether the caller wants no reply at all.
    #[serde(default, skip_serializing_if = "is_false")]
    pub oneway: bool,
}

/// A reply, as it travels to the client.
#[derive(Debug, Serialize, Deserialize)]
pub struct Reply {
    /// The error's full name, where the call failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// What the method gives back, or what the error tells: an object, as JSON text that is read
    /// and written once.
    #[serde(default = "empty_object")]
    pub parameters: Box<RawValue>,
    /// Whether another reply follows.
    #[serde(default, skip_serializing_if = "is_false")]
    pub continues: bool,
}

impl Reply {
    /// A reply with `parameters`, the last one unless `continues`. Fails where they are no JSON.
    pub fn of(parameters: impl Serialize, continues: bool) -> serde_json::Result<Self> {
        Ok(Self { error: None, parameters: to_raw_value(&parameters)?, continues })
    }

    /// A failure and what it tells, which is left out where it is no JSON.
    pub fn error(name: impl Into<String>, parameters: impl Serialize) -> Self {
        let parameters = to_raw_value(&parameters).unwrap_or_else(|_| empty_object());
        Self { error: Some(name.into()), parameters, continues: false }
    }
}

fn empty_object() -> Box<RawValue> {
    RawValue::from_string("{}".to_owned()).unwrap_or_else(|_| RawValue::NULL.to_owned())
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
const fn is_false(value: &bool) -> bool {
    !*value
}
