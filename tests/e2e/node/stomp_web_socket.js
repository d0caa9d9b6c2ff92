// What it is: stompjs over WebSocket as pages use it: sends bodies to a queue that it is subscribed to, and says as one JSON
// object a line what happened. Arguments: url, queue. Input: options as JSON {version, binary, bodies, ca}.
'use strict';
const fs = require('fs');
const { Client, Versions } = require('@stomp/stompjs');
const WebSocket = require('ws');

const [url, queue] = process.argv.slice(2);
const options = JSON.parse(fs.readFileSync(0, 'utf8'));
const say = (what) => process.stdout.write(JSON.stringify(what) + '\n');
const tls = options.ca ? { ca: fs.readFileSync(options.ca) } : {};

let came = 0;
const client = new Client({
  webSocketFactory: () => new WebSocket(url, ['v12.stomp', 'v11.stomp', 'v10.stomp'], tls),
  stompVersions: new Versions([options.version]),
  forceBinaryWSFrames: options.binary,
  reconnectDelay: 0,
  heartbeatIncoming: 1000,
  heartbeatOutgoing: 1000,
  connectHeaders: { login: 'guest', passcode: 'guest', host: '/' },
  onConnect: (frame) => {
    say({ event: 'connected', version: frame.headers.version, protocol: client.webSocket.protocol });
    client.watchForReceipt('subscribed', () => {
      options.bodies.forEach((body, number) => {
        client.publish({ destination: queue, body: body, headers: { number: String(number), persistent: 'true' } });
      });
    });
    client.subscribe(queue, (message) => {
      say({ event: 'message', body: message.body, length: message.binaryBody.length, number: message.headers.number });
      message.ack();
      if (++came === options.bodies.length) client.deactivate();
    }, { ack: 'client-individual', receipt: 'subscribed' });
  },
  onStompError: (frame) => say({ event: 'error', message: frame.headers.message, body: frame.body }),
  onWebSocketClose: (close) => say({ event: 'closed', code: close.code, clean: close.wasClean }),
  onWebSocketError: (error) => say({ event: 'failed', message: error.message }),
});
client.activate();
