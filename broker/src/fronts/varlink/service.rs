//! `org.varlink.service`: the interface by which every Varlink service describes itself.

use authbroker_client::wire::frame::Reply;
use authbroker_client::wire::{admin1, broker1};
use authbroker_core::caller::Door;
use serde::Deserialize;
use serde_json::json;

use super::router::{Parameters, good, read};

pub(super) const INTERFACE: &str = "org.varlink.service";

const IDL: &str = "\
# The Varlink Service Interface is provided by every varlink service. It describes the service and
# the interfaces it implements.
interface org.varlink.service

# Get a list of all the interfaces a service provides and information about the implementation.
method GetInfo() -> (
  vendor: string,
  product: string,
  version: string,
  url: string,
  interfaces: []string
)

# Get the description of an interface that is implemented by this service.
method GetInterfaceDescription(interface: string) -> (description: string)

# The requested interface was not found.
error InterfaceNotFound (interface: string)

# The requested method was not found
error MethodNotFound (method: string)

# The interface defines the requested method, but the service does not implement it.
error MethodNotImplemented (method: string)

# One of the passed parameters is invalid.
error InvalidParameter (parameter: string)
";

pub(super) fn answer(method: &str, parameters: Parameters<'_>, door: Door) -> Reply {
    match method {
        "GetInfo" => good(
            &json!({
                "vendor": "authbroker",
                "product": "brokerd",
                "version": env!("CARGO_PKG_VERSION"),
                "url": env!("CARGO_PKG_REPOSITORY"),
                "interfaces": interfaces(door).map(|(name, _)| name).collect::<Vec<_>>(),
            }),
            false,
        ),
        "GetInterfaceDescription" => describe(parameters, door),
        _ => no_method(&format!("{INTERFACE}.{method}")),
    }
}

#[derive(Default, Deserialize)]
struct Describe {
    interface: String,
}

fn describe(parameters: Parameters<'_>, door: Door) -> Reply {
    let wanted = read(parameters).map(|Describe { interface }| interface);
    let Some(wanted) = wanted.ok().filter(|wanted| !wanted.is_empty()) else {
        return Reply::error(
            format!("{INTERFACE}.InvalidParameter"),
            json!({"parameter": "interface"}),
        );
    };
    match interfaces(door).find(|(name, _)| *name == wanted) {
        Some((_, description)) => good(&json!({"description": description}), false),
        None => no_interface(&wanted),
    }
}

/// What a door serves: the admin interface stands behind its own door only.
fn interfaces(door: Door) -> impl Iterator<Item = (&'static str, &'static str)> {
    let admin = (door == Door::Admin).then_some((admin1::INTERFACE, admin1::IDL));
    [(INTERFACE, IDL), (broker1::INTERFACE, broker1::IDL)].into_iter().chain(admin)
}

pub(super) fn no_method(method: &str) -> Reply {
    Reply::error(format!("{INTERFACE}.MethodNotFound"), json!({"method": method}))
}

pub(super) fn no_interface(interface: &str) -> Reply {
    Reply::error(format!("{INTERFACE}.InterfaceNotFound"), json!({"interface": interface}))
}

#[cfg(test)]
mod tests {
    use authbroker_core::failure::Code;

    use super::*;

    #[test]
    fn every_error_that_a_caller_can_meet_is_in_the_description() {
        for code in Code::ALL {
            let declared = format!("error {} (message: string, hint: string", code.name());
            assert!(broker1::IDL.contains(&declared), "{declared}");
        }
    }
}
