//! Who may have what, as the broker's own user asks and says it.

use crate::Error;
use crate::client::Admin;
use crate::wire::policy::{Answer, Answered, Apps, Explanation, Grants, Revoke, Why};

impl Admin {
    /// What an app would meet if it asked, and why.
    pub async fn why(&self, request: &Why) -> Result<Explanation, Error> {
        self.call("Why", request).await
    }

    /// Who has asked.
    pub async fn apps(&self) -> Result<Apps, Error> {
        self.call("ListApps", &serde_json::json!({})).await
    }

    /// What people have answered.
    pub async fn grants(&self) -> Result<Grants, Error> {
        self.call("ListGrants", &serde_json::json!({})).await
    }

    /// Remembers an answer.
    pub async fn grant(&self, answer: &Answer) -> Result<Answered, Error> {
        self.call("Grant", answer).await
    }

    /// Takes answers back, and gives them.
    pub async fn revoke(&self, which: &Revoke) -> Result<Grants, Error> {
        self.call("Revoke", which).await
    }
}
