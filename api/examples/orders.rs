//! One protected route: `ISSUER=… AUDIENCE=… cargo run -p private-api --example orders`
use axum::{Router, routing::get};
use private_api::auth::{Authenticated, RequireToken, Verifier};
use private_api::verify::Rules;
use std::{env, io, io::Write, sync::Arc};

async fn orders(caller: Authenticated) -> String {
    format!("The orders of {}", caller.claims().sub())
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let rules = Rules::new(env::var("ISSUER")?.parse()?, env::var("AUDIENCE")?.parse()?);
    let verifier = Arc::new(Verifier::new(rules)?);
    let guard = RequireToken::new(verifier.clone()).with_scope("orders.read".parse()?);
    let api = Router::new().route("/orders", get(orders)).route_layer(guard).with_state(verifier);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    writeln!(io::stdout(), "http://{}/orders", listener.local_addr()?)?;
    Ok(axum::serve(listener, api).await?)
}
