// What it is: the wire layout of every method, written down a second time and independently of src: its
// arguments by type, and the payload for these values, of which most were produced by another implementation
// (pika 1.2). The n-th argument, from 1, has the value: octet n; short 0x100 + n; long 0x10000 + n; longlong
// 0x100000000 + n; bit n is odd; shortstr "s<n>"; longstr "long<n>"; table {"k": signed 32 bit n}.
#pragma once

#include <string_view>

namespace weir::amqp091 {

struct MethodLayout {
  std::string_view name;
  std::string_view arguments;
  std::string_view payload_hex;
};

inline constexpr MethodLayout method_layouts[] = {
    {"connection.start", "octet octet table longstr longstr",
     "000a000a010200000007016b4900000003000000056c6f6e6734000000056c6f6e6735"},
    {"connection.start-ok", "table shortstr longstr shortstr",
     "000a000b00000007016b4900000001027332000000056c6f6e6733027334"},
    {"connection.secure", "longstr", "000a0014000000056c6f6e6731"},
    {"connection.secure-ok", "longstr", "000a0015000000056c6f6e6731"},
    {"connection.tune", "short long short", "000a001e0101000100020103"},
    {"connection.tune-ok", "short long short", "000a001f0101000100020103"},
    {"connection.open", "shortstr shortstr bit", "000a002802733102733201"},
    {"connection.open-ok", "shortstr", "000a0029027331"},
    {"connection.close", "short shortstr short short", "000a0032010102733201030104"},
    {"connection.close-ok", "", "000a0033"},
    {"connection.blocked", "shortstr", "000a003c027331"},
    {"connection.unblocked", "", "000a003d"},
    {"connection.update-secret", "longstr shortstr", "000a0046000000056c6f6e6731027332"},
    {"connection.update-secret-ok", "", "000a0047"},
    {"channel.open", "shortstr", "0014000a027331"},
    {"channel.open-ok", "longstr", "0014000b000000056c6f6e6731"},
    {"channel.flow", "bit", "0014001401"},
    {"channel.flow-ok", "bit", "0014001501"},
    {"channel.close", "short shortstr short short", "00140028010102733201030104"},
    {"channel.close-ok", "", "00140029"},
    {"access.request", "shortstr bit bit bit bit bit", "001e000a0273310a"},
    {"access.request-ok", "short", "001e000b0101"},
    {"confirm.select", "bit", "0055000a01"},
    {"confirm.select-ok", "", "0055000b"},
    {"tx.select", "", "005a000a"},
    {"tx.select-ok", "", "005a000b"},
    {"tx.commit", "", "005a0014"},
    {"tx.commit-ok", "", "005a0015"},
    {"tx.rollback", "", "005a001e"},
    {"tx.rollback-ok", "", "005a001f"},
    {"exchange.declare", "short shortstr shortstr bit bit bit bit bit table",
     "0028000a01010273320273330a00000007016b4900000009"},
    {"exchange.declare-ok", "", "0028000b"},
    {"exchange.delete", "short shortstr bit bit", "00280014010102733201"},
    {"exchange.delete-ok", "", "00280015"},
    {"exchange.bind", "short shortstr shortstr shortstr bit table",
     "0028001e01010273320273330273340100000007016b4900000006"},
    {"exchange.bind-ok", "", "0028001f"},
    {"exchange.unbind", "short shortstr shortstr shortstr bit table",
     "0028002801010273320273330273340100000007016b4900000006"},
    {"exchange.unbind-ok", "", "00280033"},
    {"queue.declare", "short shortstr bit bit bit bit bit table",
     "0032000a01010273321500000007016b4900000008"},
    {"queue.declare-ok", "shortstr long long", "0032000b0273310001000200010003"},
    {"queue.bind", "short shortstr shortstr shortstr bit table",
     "0032001401010273320273330273340100000007016b4900000006"},
    {"queue.bind-ok", "", "00320015"},
    {"queue.purge", "short shortstr bit", "0032001e010102733201"},
    {"queue.purge-ok", "long", "0032001f00010001"},
    {"queue.delete", "short shortstr bit bit bit", "00320028010102733205"},
    {"queue.delete-ok", "long", "0032002900010001"},
    {"queue.unbind", "short shortstr shortstr shortstr table",
     "00320032010102733202733302733400000007016b4900000005"},
    {"queue.unbind-ok", "", "00320033"},
    {"basic.qos", "long short bit", "003c000a00010001010201"},
    {"basic.qos-ok", "", "003c000b"},
    {"basic.consume", "short shortstr shortstr bit bit bit bit table",
     "003c001401010273320273330a00000007016b4900000008"},
    {"basic.consume-ok", "shortstr", "003c0015027331"},
    {"basic.cancel", "shortstr bit", "003c001e02733100"},
    {"basic.cancel-ok", "shortstr", "003c001f027331"},
    {"basic.publish", "short shortstr shortstr bit bit", "003c0028010102733202733302"},
    {"basic.return", "short shortstr shortstr shortstr", "003c00320101027332027333027334"},
    {"basic.deliver", "shortstr longlong bit shortstr shortstr",
     "003c003c027331000000010000000201027334027335"},
    {"basic.get", "short shortstr bit", "003c0046010102733201"},
    {"basic.get-ok", "longlong bit shortstr shortstr long", "003c004700000001000000010002733302733400010005"},
    {"basic.get-empty", "shortstr", "003c0048027331"},
    {"basic.ack", "longlong bit", "003c0050000000010000000100"},
    {"basic.reject", "longlong bit", "003c005a000000010000000100"},
    {"basic.recover-async", "bit", "003c006401"},
    {"basic.recover", "bit", "003c006e01"},
    {"basic.recover-ok", "", "003c006f"},
    {"basic.nack", "longlong bit bit", "003c0078000000010000000102"},
};

}  // namespace weir::amqp091
