/** The yardstick of the server: Fastify and ws giving back what they were sent. */
import Fastify from 'fastify';
import { WebSocketServer } from 'ws';

const app = Fastify();
app.post('/echo', async (request) => request.body);
const sockets = new WebSocketServer({ noServer: true, perMessageDeflate: false });
app.server.on('upgrade', (request, socket, head) => {
  sockets.handleUpgrade(request, socket, head, (client) => {
    client.on('message', (data, binary) => client.send(data, { binary }));
  });
});
console.log(await app.listen({ port: 0, host: '127.0.0.1' }));
