# A hub whose labs do nothing: what is measured is the hub. Everything else comes from the environment (src/jupyterhub.rs).
import os

from jupyterhub.spawner import Spawner


class NoOpSpawner(Spawner):
    """A lab is up as soon as it is asked for: all of them are one small server of the bench."""

    up = False

    async def start(self):
        self.up = True
        return "127.0.0.1", int(os.environ["BENCH_LAB_PORT"])

    async def stop(self, now=False):
        self.up = False

    async def poll(self):
        return None if self.up else 0


c = get_config()  # noqa: F821
c.JupyterHub.bind_url = f"http://127.0.0.1:{os.environ['BENCH_HUB_PORT']}"
c.JupyterHub.hub_bind_url = f"http://127.0.0.1:{os.environ['BENCH_HUB_INNER_PORT']}"
c.ConfigurableHTTPProxy.api_url = f"http://127.0.0.1:{os.environ['BENCH_PROXY_PORT']}"
c.ConfigurableHTTPProxy.auth_token = os.environ["BENCH_TOKEN"]
c.ConfigurableHTTPProxy.command = [os.environ["BENCH_PROXY"]]
c.JupyterHub.authenticator_class = "dummy"
c.Authenticator.allow_all = True
c.JupyterHub.spawner_class = NoOpSpawner
c.JupyterHub.authenticate_prometheus = False
c.JupyterHub.services = [{"name": "bench", "api_token": os.environ["BENCH_TOKEN"]}]
c.JupyterHub.load_roles = [{"name": "bench", "scopes": ["admin:users", "admin:servers"], "services": ["bench"]}]
if os.environ["BENCH_LIMIT"] == "off":
    c.JupyterHub.concurrent_spawn_limit = 0
