// What it is: mqtt.js over TCP or WebSocket, as devices and pages use it: sends bodies to a topic that it is subscribed to, and
// says as one JSON object a line what happened. Arguments: url, topic. Input: options as JSON {version, qos, bodies, ca}.
'use strict';
const fs = require('fs');
const mqtt = require('mqtt');

const [url, topic] = process.argv.slice(2);
const options = JSON.parse(fs.readFileSync(0, 'utf8'));
const say = (what) => process.stdout.write(JSON.stringify(what) + '\n');

const client = mqtt.connect(url, {
  protocolVersion: options.version,
  username: 'guest',
  password: 'guest',
  reconnectPeriod: 0,
  ...(options.ca ? { ca: fs.readFileSync(options.ca) } : {}),
});
let came = 0;
client.on('connect', (connack) => {
  say({ event: 'connected', code: connack.reasonCode ?? connack.returnCode });
  client.subscribe(topic, { qos: options.qos }, (error, granted) => {
    say({ event: 'subscribed', qos: granted[0].qos });
    for (const body of options.bodies) {
      const properties = options.version === 5 ? { properties: { userProperties: { length: String(body.length) } } } : {};
      client.publish(topic, body, { qos: options.qos, ...properties }, (failed) => failed && say({ event: 'failed' }));
    }
  });
});
client.on('message', (at, body, packet) => {
  say({ event: 'message', topic: at, body: body.toString(), qos: packet.qos, user: packet.properties?.userProperties?.length });
  if (++came === options.bodies.length) client.end();
});
client.on('error', (error) => { say({ event: 'error', message: error.message }); client.end(true); });
client.on('close', () => say({ event: 'closed' }));
