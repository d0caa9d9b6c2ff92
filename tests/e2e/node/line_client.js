// What it is: amqplib, told what to do in lines of text (harness/clients/line_client.py says which).
'use strict';
const amqp = require('amqplib');
const readline = require('readline');

const channels = new Map();
let connection = null;

function encode(value) {
  const bytes = Buffer.isBuffer(value) ? value : Buffer.from(String(value), 'utf8');
  let text = '';
  for (const byte of bytes) {
    const plain = (byte >= 48 && byte <= 57) || (byte >= 65 && byte <= 90) || (byte >= 97 && byte <= 122);
    text += plain ? String.fromCharCode(byte) : '%' + byte.toString(16).padStart(2, '0');
  }
  return text;
}

function decode(text) {
  const bytes = [];
  for (let at = 0; at < text.length; at++) {
    if (text[at] === '%') {
      bytes.push(parseInt(text.slice(at + 1, at + 3), 16));
      at += 2;
    } else {
      bytes.push(text.charCodeAt(at));
    }
  }
  return Buffer.from(bytes);
}

function say(...words) {
  process.stdout.write(words.join(' ') + '\n');
}

function fields(object) {
  return Object.entries(object).map(([name, value]) => `${name}=${encode(value)}`);
}

function typed(prefix, table) {
  const found = {};
  for (const [name, value] of Object.entries(table || {})) {
    if (value === undefined || value === null || typeof value === 'object') continue;
    const letter = typeof value === 'boolean' ? 'b' : typeof value === 'number' ? 'i' : 's';
    found[`${prefix}${encode(name)}:${letter}`] = letter === 'b' ? (value ? '1' : '0') : value;
  }
  return found;
}

function tableOf(prefix, values) {
  const table = {};
  for (const [name, value] of Object.entries(values)) {
    if (!name.startsWith(prefix)) continue;
    const cut = name.lastIndexOf(':');
    const letter = name.slice(cut + 1);
    const text = value.toString('utf8');
    table[decode(name.slice(prefix.length, cut)).toString('utf8')] =
        letter === 'i' ? Number(text) : letter === 'b' ? text === '1' : text;
  }
  return table;
}

// The names that amqplib uses for AMQP's properties, and back.
const toLibrary = {
  content_type: 'contentType', content_encoding: 'contentEncoding', delivery_mode: 'deliveryMode',
  priority: 'priority', correlation_id: 'correlationId', reply_to: 'replyTo', expiration: 'expiration',
  message_id: 'messageId', timestamp: 'timestamp', type: 'type', user_id: 'userId', app_id: 'appId',
};
const fromLibrary = Object.fromEntries(Object.entries(toLibrary).map(([ours, theirs]) => [theirs, ours]));

function deliveryFields(message) {
  const properties = {};
  for (const [name, value] of Object.entries(message.properties)) {
    if (fromLibrary[name] !== undefined) properties[fromLibrary[name]] = value;
  }
  return fields({
    delivery: message.fields.deliveryTag, redelivered: message.fields.redelivered ? 1 : 0,
    exchange: message.fields.exchange, key: message.fields.routingKey, tag: message.fields.consumerTag || '',
    body: message.content, ...typed('p.', properties), ...typed('h.', message.properties.headers),
  });
}

class Failure extends Error {
  constructor(kind, code, text) {
    super(text);
    Object.assign(this, {kind, code});
  }
}

// amqplib puts the broker's words between quotation marks.
function words(error) {
  const match = /with message "(.*)"/s.exec(error.message);
  return match ? match[1] : error.message;
}

class Channel {
  constructor(number) {
    this.number = number;
    this.failure = null;
    this.returned = null;
  }

  async open(confirms) {
    this.channel = await (confirms ? connection.createConfirmChannel() : connection.createChannel());
    this.confirms = confirms;
    this.channel.on('error', (error) => { this.failure = new Failure('channel', error.code, words(error)); });
    this.channel.on('return', (message) => { this.returned = message; });
  }

  async publish(values) {
    const options = {mandatory: values.mandatory.toString() === '1', headers: tableOf('h.', values)};
    for (const [name, value] of Object.entries(tableOf('p.', values))) {
      options[toLibrary[name]] = value;
    }
    this.returned = null;
    const exchange = values.exchange.toString('utf8');
    const key = values.key.toString('utf8');
    if (!this.confirms) {
      this.channel.publish(exchange, key, values.body, options);
      return;
    }
    await new Promise((resolve, reject) => {
      this.channel.publish(exchange, key, values.body, options,
                           (error) => { error ? reject(this.failure || new Failure('refused', 0, '')) : resolve(); });
    });
    if (this.returned) {
      throw new Failure('returned', this.returned.fields.replyCode, this.returned.fields.replyText);
    }
  }

  onMessage(tag, message) {
    if (message === null) {
      say('*', 'cancelled', this.number, `tag=${encode(tag.value)}`);
    } else {
      say('*', 'delivery', this.number, ...deliveryFields(message));
    }
  }

  async consume(values) {
    const tag = {value: ''};
    const ok = await this.channel.consume(values.queue.toString('utf8'), (message) => this.onMessage(tag, message),
                                          {noAck: values.no_ack.toString() === '1',
                                           exclusive: values.exclusive.toString() === '1'});
    tag.value = ok.consumerTag;
    return {tag: ok.consumerTag};
  }

  message(values) {
    return {fields: {deliveryTag: Number(values.delivery)}};
  }
}

const flag = (value) => value.toString() === '1';
const text = (value) => value.toString('utf8');

const commands = {
  'declare-queue': async ({channel}, values) => {
    const name = text(values.queue);
    const ok = flag(values.passive) ? await channel.checkQueue(name) : await channel.assertQueue(name, {
      durable: flag(values.durable), exclusive: flag(values.exclusive), autoDelete: flag(values.auto_delete),
      arguments: tableOf('h.', values),
    });
    return {queue: ok.queue, messages: ok.messageCount, consumers: ok.consumerCount};
  },
  'declare-exchange': async ({channel}, values) => {
    const name = text(values.exchange);
    if (flag(values.passive)) return void await channel.checkExchange(name);
    await channel.assertExchange(name, text(values.kind), {
      durable: flag(values.durable), autoDelete: flag(values.auto_delete), arguments: tableOf('h.', values),
    });
  },
  'delete-exchange': async ({channel}, values) => {
    await channel.deleteExchange(text(values.exchange), {ifUnused: flag(values.if_unused)});
  },
  'bind': async ({channel}, values) => {
    await channel.bindQueue(text(values.queue), text(values.exchange), text(values.key), tableOf('h.', values));
  },
  'unbind': async ({channel}, values) => {
    await channel.unbindQueue(text(values.queue), text(values.exchange), text(values.key), tableOf('h.', values));
  },
  'purge': async ({channel}, values) => ({messages: (await channel.purgeQueue(text(values.queue))).messageCount}),
  'delete-queue': async ({channel}, values) => {
    const ok = await channel.deleteQueue(text(values.queue),
                                         {ifUnused: flag(values.if_unused), ifEmpty: flag(values.if_empty)});
    return {messages: ok.messageCount};
  },
  'publish': (wrapped, values) => wrapped.publish(values),
  'qos': async ({channel}, values) => { await channel.prefetch(Number(values.count)); },
  'consume': (wrapped, values) => wrapped.consume(values),
  'cancel': async ({channel}, values) => { await channel.cancel(text(values.tag)); },
  'get': async ({channel}, values) => {
    const message = await channel.get(text(values.queue), {noAck: flag(values.no_ack)});
    return message === false ? {} : deliveryFields(message);
  },
  'ack': async (wrapped, values) => { wrapped.channel.ack(wrapped.message(values), flag(values.multiple)); },
  'nack': async (wrapped, values) => {
    wrapped.channel.nack(wrapped.message(values), flag(values.multiple), flag(values.requeue));
  },
  'reject': async (wrapped, values) => { wrapped.channel.reject(wrapped.message(values), flag(values.requeue)); },
  'close-channel': async ({channel}) => { await channel.close(); },
};

async function run(command, number, values) {
  if (command === 'connect') {
    const user = `${encode(values.user)}:${encode(values.password)}`;
    const url = `amqp://${user}@${text(values.host)}:${values.port}/${encode(values.vhost)}?heartbeat=0`;
    connection = await amqp.connect(url, {noDelay: true});
    connection.on('error', () => {});
    return {};
  }
  if (command === 'close') {
    await connection.close();
    return {};
  }
  if (command === 'channel') {
    const wrapped = new Channel(number);
    await wrapped.open(flag(values.confirms));
    channels.set(number, wrapped);
    return {};
  }
  return commands[command](channels.get(number), values);
}

function explain(error, channel) {
  if (error instanceof Failure) return error;
  // A channel's failure reaches the pending call before its own event: both say the same.
  if (channel && channel.failure) return channel.failure;
  const code = error.code || Number((/(\d{3}) \(/.exec(error.message) || [])[1]) || 0;
  const kind = connection && channel ? 'channel' : 'connection';
  return new Failure(kind, code, words(error));
}

readline.createInterface({input: process.stdin}).on('line', async (line) => {
  const [id, command, number, ...rest] = line.split(' ');
  const values = Object.fromEntries(rest.map((field) => {
    const cut = field.indexOf('=');
    return [field.slice(0, cut), decode(field.slice(cut + 1))];
  }));
  try {
    const answer = await run(command, Number(number), values) || {};
    say(id, 'ok', ...(Array.isArray(answer) ? answer : fields(answer)));
  } catch (error) {
    const failure = explain(error, channels.get(Number(number)));
    say(id, failure.kind, ...fields({code: failure.code, text: failure.message}));
  }
}).on('close', () => process.exit(0));
