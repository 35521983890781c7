//! The network flags of `run`, `daemon` and `resolve`: one set, the settings of `[network]` by their long names.

use std::num::NonZeroU32;
use std::path::PathBuf;

use ipnet::IpNet;

use super::value::{NameServer, Period, Size, flag};
use super::{Origin, Settings};
use crate::world::wire::settings::ConnectTo;

/// The flags. What is not given leaves the setting as the layers below have it.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "Network")]
pub struct NetworkArgs {
    /// Connect to HOST2:PORT2 instead of HOST1:PORT1; URL, Host header, SNI and certificate check stay (repeatable)
    #[arg(long, value_name = "HOST1:PORT1:HOST2:PORT2", value_parser = flag::<ConnectTo>)]
    pub connect_to: Vec<ConnectTo>,

    /// Trust the certificates in this PEM file too (repeatable)
    #[arg(long, value_name = "FILE")]
    pub ca_cert: Vec<PathBuf>,

    /// Allow connections to this private address range (repeatable)
    #[arg(long, value_name = "CIDR", value_parser = flag::<IpNet>)]
    pub allow_net: Vec<IpNet>,

    /// Ask this name server for the addresses of hosts and the keys of e-mails, instead of the system's (port 53 unless given)
    #[arg(long, value_name = "ADDRESS[:PORT]", value_parser = flag::<NameServer>)]
    pub name_server: Option<NameServer>,

    /// The User-Agent to send
    #[arg(long, value_name = "TEXT", value_parser = flag::<String>)]
    pub user_agent: Option<String>,

    /// Exchanges at once
    #[arg(long, value_name = "N", value_parser = flag::<NonZeroU32>)]
    pub concurrency: Option<NonZeroU32>,

    /// Exchanges at once with one host
    #[arg(long, value_name = "N", value_parser = flag::<NonZeroU32>)]
    pub per_host: Option<NonZeroU32>,

    /// Bound on one whole exchange
    #[arg(long, value_name = "SECONDS", value_parser = flag::<Period>)]
    pub timeout: Option<Period>,

    /// Hops from a citation to its end
    #[arg(long, value_name = "N", value_parser = flag::<NonZeroU32>)]
    pub max_hops: Option<NonZeroU32>,

    /// Bytes kept of one body; what is longer is cut and marked
    #[arg(long, value_name = "BYTES", value_parser = flag::<Size>)]
    pub max_body: Option<Size>,

    /// Ask nothing of the network
    #[arg(long)]
    pub offline: bool,
}

impl NetworkArgs {
    /// Lays what was given over `settings`.
    pub(super) fn lay_over(&self, settings: &mut Settings) {
        let Settings { network, origins, .. } = settings;
        let mut given = |key: &'static str| {
            origins.insert(format!("network.{key}"), Origin::Flag(key));
        };
        lay_list(&self.connect_to, &mut network.connect_to, || given("connect-to"));
        lay_list(&self.ca_cert, &mut network.ca_cert, || given("ca-cert"));
        lay_list(&self.allow_net, &mut network.allow_net, || given("allow-net"));
        lay(&self.name_server.map(Some), &mut network.name_server, || given("name-server"));
        lay(&self.user_agent, &mut network.user_agent, || given("user-agent"));
        lay(&self.concurrency, &mut network.concurrency, || given("concurrency"));
        lay(&self.per_host, &mut network.per_host, || given("per-host"));
        lay(&self.timeout, &mut network.timeout, || given("timeout"));
        lay(&self.max_hops, &mut network.max_hops, || given("max-hops"));
        lay(&self.max_body, &mut network.max_body, || given("max-body"));
        lay(&self.offline.then_some(true), &mut network.offline, || given("offline"));
    }
}

fn lay<T: Clone>(flag: &Option<T>, setting: &mut T, given: impl FnOnce()) {
    if let Some(value) = flag {
        setting.clone_from(value);
        given();
    }
}

fn lay_list<T: Clone>(flag: &[T], setting: &mut Vec<T>, given: impl FnOnce()) {
    if !flag.is_empty() {
        setting.clear();
        setting.extend_from_slice(flag);
        given();
    }
}
