//! A token of a person's, for keys of a cloud: the web-identity exchange that Amazon's STS has, and
//! others after it.
//!
//! It is a form and an XML answer: `AssumeRoleWithWebIdentity` of API version 2011-06-15. The keys
//! end by themselves, soon; nothing of them is kept here.

use std::path::Path;
use std::time::Duration;

use ::http::header::{CONTENT_TYPE, RETRY_AFTER};
use authbroker_core::failure::{Code, Failure};
use authbroker_core::issuer::is_secure;
use authbroker_core::secret::Secret;
use openidconnect::HttpResponse;
use serde::Deserialize;
use url::Url;

use super::error::printable;
use super::http::Http;

/// Which keys are wanted.
#[derive(Debug, Clone)]
pub struct KeysWanted {
    /// The role that they are for (`arn:aws:iam::…`).
    pub role: String,
    /// What the session is called in the cloud's own record.
    pub session: String,
    /// How long they shall last, where that is not the cloud's usual time.
    pub lifetime: Option<Duration>,
}

/// Keys of a cloud, for a while.
#[derive(Debug, Clone)]
pub struct CloudKeys {
    /// Their name.
    pub access_key_id: String,
    /// What requests are signed with.
    pub secret_access_key: Secret,
    /// What says that they are lent.
    pub session_token: Secret,
    /// When they end, as the cloud writes it: RFC 3339.
    pub expiration: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    assume_role_with_web_identity_result: AnswerResult,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct AnswerResult {
    credentials: AnswerKeys,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct AnswerKeys {
    access_key_id: String,
    secret_access_key: String,
    session_token: String,
    expiration: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ErrorAnswer {
    error: ErrorBody,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ErrorBody {
    code: String,
    message: Option<String>,
}

/// Exchanges `token` at `endpoint`, once. Certificates in `ca_file` are trusted besides the
/// machine's own roots.
pub async fn exchange(
    endpoint: &Url,
    ca_file: Option<&Path>,
    token: &str,
    wanted: &KeysWanted,
) -> Result<CloudKeys, Failure> {
    if !is_secure(endpoint) {
        let message = format!("a token is not sent to {endpoint}: that is no https address");
        return Err(Failure::new(
            Code::InvalidArgs,
            message,
            "give --sts-endpoint an https address",
        ));
    }
    let request = ::http::Request::post(endpoint.as_str())
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(form(token, wanted).into_bytes());
    let request = request.map_err(|error| {
        Failure::new(Code::InvalidArgs, error.to_string(), "check --sts-endpoint")
    })?;
    let answer = Http::to(endpoint, ca_file).send(request).await;
    read(&answer.map_err(|error| error.to_failure())?)
}

fn form(token: &str, wanted: &KeysWanted) -> String {
    let mut form = url::form_urlencoded::Serializer::new(String::new());
    form.append_pair("Action", "AssumeRoleWithWebIdentity")
        .append_pair("Version", "2011-06-15")
        .append_pair("RoleArn", &wanted.role)
        .append_pair("RoleSessionName", &wanted.session)
        .append_pair("WebIdentityToken", token);
    if let Some(lifetime) = wanted.lifetime {
        form.append_pair("DurationSeconds", &lifetime.as_secs().to_string());
    }
    form.finish()
}

fn read(answer: &HttpResponse) -> Result<CloudKeys, Failure> {
    if !answer.status().is_success() {
        return Err(refused(answer));
    }
    let keys: Option<Answer> = parse(answer.body());
    let keys = keys.ok_or_else(|| {
        let message = "the STS answered something that holds no keys";
        Failure::new(Code::ProviderError, message, "check --sts-endpoint")
    })?;
    let keys = keys.assume_role_with_web_identity_result.credentials;
    Ok(CloudKeys {
        access_key_id: keys.access_key_id,
        secret_access_key: Secret::new(keys.secret_access_key),
        session_token: Secret::new(keys.session_token),
        expiration: keys.expiration,
    })
}

fn refused(answer: &HttpResponse) -> Failure {
    let said: Option<ErrorAnswer> = parse(answer.body());
    let why = said.map(|said| (said.error.code, said.error.message.unwrap_or_default()));
    let (code, why) = why.map_or_else(
        || (String::new(), format!("with status {}", answer.status().as_u16())),
        |(code, message)| (code.clone(), printable(&format!("{code}: {message}"))),
    );
    let message = format!("the STS refused: {why}");
    if answer.status().is_server_error() || answer.headers().contains_key(RETRY_AFTER) {
        return Failure::new(Code::ProviderUnavailable, message, "try again in a moment");
    }
    Failure::new(Code::ProviderError, message, hint(&code))
}

fn hint(code: &str) -> &'static str {
    match code {
        "ExpiredTokenException" => "check this machine's clock: brokerctl doctor",
        "AccessDenied" => "have the role trust this provider and this client (its trust policy)",
        "InvalidIdentityToken" | "IDPRejectedClaim" => {
            "choose the API that the cloud expects tokens for: --resource R"
        }
        _ => "check --role-arn, --resource and --sts-endpoint",
    }
}

fn parse<T: for<'de> Deserialize<'de>>(body: &[u8]) -> Option<T> {
    quick_xml::de::from_str(std::str::from_utf8(body).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, body: &str) -> HttpResponse {
        let mut answer = HttpResponse::new(body.as_bytes().to_vec());
        *answer.status_mut() = status.try_into().unwrap();
        answer
    }

    #[test]
    fn keys_are_read_from_the_answer_that_the_documentation_shows() {
        let text = r#"<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
          <AssumeRoleWithWebIdentityResult>
            <SubjectFromWebIdentityToken>alice</SubjectFromWebIdentityToken>
            <AssumedRoleUser><Arn>arn:aws:sts::1:assumed-role/r/s</Arn></AssumedRoleUser>
            <Credentials><SessionToken>a+b/c==</SessionToken><SecretAccessKey>s&amp;k</SecretAccessKey>
              <Expiration>2014-10-24T23:00:23Z</Expiration><AccessKeyId>ASIA1</AccessKeyId></Credentials>
          </AssumeRoleWithWebIdentityResult>
          <ResponseMetadata><RequestId>1</RequestId></ResponseMetadata>
        </AssumeRoleWithWebIdentityResponse>"#;
        let keys = read(&answer(200, text)).unwrap();
        assert_eq!(keys.access_key_id, "ASIA1");
        assert_eq!(keys.secret_access_key.expose(), "s&k");
        assert_eq!(keys.session_token.expose(), "a+b/c==");
        assert_eq!(keys.expiration, "2014-10-24T23:00:23Z");
    }

    #[test]
    fn an_answer_without_keys_is_no_answer() {
        for text in ["", "{}", "<a", "<html/>", "<AssumeRoleWithWebIdentityResponse/>"] {
            assert_eq!(read(&answer(200, text)).unwrap_err().code, Code::ProviderError, "{text}");
        }
        assert_eq!(read(&answer(503, "later")).unwrap_err().code, Code::ProviderUnavailable);
    }

    #[test]
    fn a_refusal_says_why_and_moves_no_cursor() {
        let text = "<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code>\
                    <Message>no&#27;[31m</Message></Error></ErrorResponse>";
        let failure = read(&answer(403, text)).unwrap_err();
        assert_eq!(failure.message, "the STS refused: AccessDenied: no[31m");
        assert!(failure.hint.contains("trust policy"), "{}", failure.hint);
    }
}
