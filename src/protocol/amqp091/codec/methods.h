// What it is: every method of AMQP 0-9-1 and RabbitMQ's extensions, and decoding when any of them may come. A
// connection looks at method_id_of(payload) first, takes its few hot methods with decode_as<M>, and gives the
// rest to decode_method and std::visit.
#pragma once

#include <variant>

#include "protocol/amqp091/codec/basic_methods.h"
#include "protocol/amqp091/codec/channel_methods.h"
#include "protocol/amqp091/codec/connection_methods.h"
#include "protocol/amqp091/codec/exchange_methods.h"
#include "protocol/amqp091/codec/method_codec.h"
#include "protocol/amqp091/codec/queue_methods.h"

namespace weir::amqp091 {

using Method = std::variant<
    ConnectionStart, ConnectionStartOk, ConnectionSecure, ConnectionSecureOk, ConnectionTune,
    ConnectionTuneOk, ConnectionOpen, ConnectionOpenOk, ConnectionClose, ConnectionCloseOk, ConnectionBlocked,
    ConnectionUnblocked, ConnectionUpdateSecret, ConnectionUpdateSecretOk, ChannelOpen, ChannelOpenOk,
    ChannelFlow, ChannelFlowOk, ChannelClose, ChannelCloseOk, AccessRequest, AccessRequestOk, ConfirmSelect,
    ConfirmSelectOk, TxSelect, TxSelectOk, TxCommit, TxCommitOk, TxRollback, TxRollbackOk, ExchangeDeclare,
    ExchangeDeclareOk, ExchangeDelete, ExchangeDeleteOk, ExchangeBind, ExchangeBindOk, ExchangeUnbind,
    ExchangeUnbindOk, QueueDeclare, QueueDeclareOk, QueueBind, QueueBindOk, QueuePurge, QueuePurgeOk,
    QueueDelete, QueueDeleteOk, QueueUnbind, QueueUnbindOk, BasicQos, BasicQosOk, BasicConsume,
    BasicConsumeOk, BasicCancel, BasicCancelOk, BasicPublish, BasicReturn, BasicDeliver, BasicGet, BasicGetOk,
    BasicGetEmpty, BasicAck, BasicReject, BasicRecoverAsync, BasicRecover, BasicRecoverOk, BasicNack>;

// Decodes the payload of a method frame. Errors: those of method_codec.h; 540 for a method that does not
// exist. The result views into `payload`.
Decoded<Method> decode_method(Bytes payload);

// What is known of a method without its arguments; nullptr for an id that is none.
const MethodInfo* find_method(MethodId id);

const MethodInfo& info_of(const Method& method);

// append_method_frame for a method whose type is not known statically.
void append_any_method_frame(std::vector<std::byte>& out, std::uint16_t channel, const Method& method);

}  // namespace weir::amqp091
