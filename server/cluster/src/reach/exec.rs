//! Programs run in a pod. The API server opens them by a WebSocket, whose messages `program` carries.

use kube::api::AttachParams;
use services::ports::{ClusterError, Exec, ExecRequest, PodTarget};

use super::{meaning, program, request};
use crate::client::Kubernetes;

impl Kubernetes {
    pub(crate) async fn exec_in_pod(&self, target: &PodTarget, wanted: &ExecRequest) -> Result<Exec, ClusterError> {
        self.pod(target).await?;
        let streams = AttachParams {
            container: wanted.container.clone(),
            stdin: true,
            stdout: true,
            // A terminal has one stream for both.
            stderr: !wanted.terminal,
            tty: wanted.terminal,
            ..AttachParams::default()
        };
        let command = wanted.command.iter().map(String::as_str);
        let call = request(target).exec(&target.name, command, &streams);
        let mut call = call.map_err(|error| meaning::of_call(&kube::Error::BuildRequest(error)))?;
        call.extensions_mut().insert("exec");
        let opening = async { self.client.connect(call).await.map_err(|error| meaning::of_call(&error)) };
        let socket = self.in_time(target, opening).await?;
        self.unchanged(target)?;
        // Before version 5 of the protocol, in Kubernetes 1.30, only the end of the connection ended the input.
        let input = if socket.supports_stream_close() { program::Input::Ends } else { program::Input::StaysOpen };
        let output = if wanted.terminal { program::Output::Terminal } else { program::Output::Separate };
        Ok(program::attach(socket.into_stream(), input, output))
    }
}
