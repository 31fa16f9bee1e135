//! The Varlink envelope: calls, replies, and the NUL byte between them.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio_util::codec::AnyDelimiterCodec;

/// The longest message either side reads, in bytes. A token fits many times over.
pub const MAX_MESSAGE: usize = 64 * 1024;

/// A codec for one connection: JSON texts, each ended by a NUL byte, at most [`MAX_MESSAGE`] long.
pub fn codec() -> AnyDelimiterCodec {
    AnyDelimiterCodec::new_with_max_length(vec![0], vec![0], MAX_MESSAGE)
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
    /// What the method gives back, or what the error tells.
    #[serde(default = "empty_object")]
    pub parameters: Value,
    /// Whether another reply follows.
    #[serde(default, skip_serializing_if = "is_false")]
    pub continues: bool,
}

impl Reply {
    /// A reply with `parameters`, the last one unless `continues`.
    pub const fn of(parameters: Value, continues: bool) -> Self {
        Self { error: None, parameters, continues }
    }

    /// A failure.
    pub fn error(name: impl Into<String>, parameters: Value) -> Self {
        Self { error: Some(name.into()), parameters, continues: false }
    }
}

fn empty_object() -> Value {
    Value::Object(serde_json::Map::new())
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
const fn is_false(value: &bool) -> bool {
    !*value
}
