//! Where devices are listened to beyond this machine: a NATS cluster, an MQTT broker.

use clap::Args;
use web::intake::{Broker, Nats};

use crate::complaint::Complaint;

/// Other people's servers that carry what devices send.
#[derive(Debug, Default, Clone, Args)]
pub(crate) struct BrokerArgs {
    /// 设备接入：NATS JetStream 集群，逗号分隔。Read devices from a NATS JetStream cluster
    #[arg(long, value_name = "nats://A:4222,…")]
    nats: Option<String>,
    /// JetStream 的流名，没有则建立。Stream, made when it is not there
    #[arg(long, value_name = "NAME", default_value = "DEVICES", requires = "nats")]
    nats_stream: String,
    /// 持久消费者名，各服务器相同。Durable consumer, the same on every server
    #[arg(long, value_name = "NAME", default_value = "xiyang", requires = "nats")]
    nats_consumer: String,
    /// 设备接入：外部 MQTT 5 服务器。Read devices from an MQTT 5 broker
    #[arg(long, value_name = "mqtt://[USER:PASSWORD@]HOST[:1883]")]
    broker: Option<String>,
    /// 在外部 MQTT 服务器订阅的主题，可多次给出。Topics to hear there, may be given more than once
    #[arg(long, value_name = "FILTER", requires = "broker")]
    broker_topic: Vec<String>,
    /// 在外部 MQTT 服务器的客户端名，每台服务器各异。Client name there, another on every server
    #[arg(long, value_name = "NAME", default_value = "xiyang", requires = "broker")]
    broker_client: String,
}

impl BrokerArgs {
    /// Reads the addresses; nothing is connected yet.
    pub(crate) fn read(&self) -> Result<(Option<Nats>, Option<Broker>), Complaint> {
        let nats = self.nats.as_deref().map(|servers| {
            Nats::new(servers, &self.nats_stream, &self.nats_consumer).map_err(|e| {
                Complaint::new(
                    format!("--nats 的地址或名称不对：{e}。应为 nats://主机:4222，多台以逗号分隔；名称不含点和空格"),
                    format!("--nats: {e}; give nats://host:4222,… and names without dots or blanks"),
                )
            })
        });
        let broker = self.broker.as_deref().map(|url| {
            Broker::new(url, &self.broker_client, &self.broker_topic).map_err(|_| {
                Complaint::new(
                    "--broker 的地址不对：应为 mqtt://[用户:密码@]主机[:端口]",
                    "--broker: give mqtt://[user:password@]host[:port]",
                )
            })
        });
        Ok((nats.transpose()?, broker.transpose()?))
    }
}
