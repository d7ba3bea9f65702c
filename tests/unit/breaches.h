/* breaches.h: one file for each way to break the rules of safetensors, with the words that the
   refusal must say. safetensors.c tries each by name; fuzz/seeds.c writes them as a fuzzer's first
   inputs. */
#ifndef BREACHES_H
#define BREACHES_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    const char *name;
    const char *header;
    const char *reason; /* part of the refusal; NULL: the file must be accepted */
    size_t data;        /* how many bytes follow the header */
    uint64_t length;    /* what the first 8 bytes say: 0 means the header's true length */
} Breach;

#define ONE(dtype, shape, offsets)                                                                 \
    "{\"a\":{\"dtype\":\"" dtype "\",\"shape\":" shape ",\"data_offsets\":" offsets "}}"
#define TWO(offsets_a, offsets_b)                                                                  \
    "{\"a\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":" offsets_a                           \
    "},\"b\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":" offsets_b "}}"
/* A tensor of one byte, by its name. */
#define BYTE(name, offsets)                                                                        \
    "\"" name "\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":" offsets "}"
#define NOT_JSON "header is not the JSON"
#define NOT_FIELDS "not one dtype"

static const Breach breaches[] = {
    /* what must be accepted */
    {"no tensor at all", "{}"},
    {"only metadata", "{\"__metadata__\":{\"a\":\"b\",\"c\":\"\"}}"},
    {"empty metadata", "{\"__metadata__\":{}}"},
    {"one tensor", ONE("F32", "[2,3]", "[0,24]"), NULL, 24},
    {"white space everywhere",
     "{\"a\" : { \"dtype\":\t\"U8\" ,\n\"shape\" : [ 1 , 2 ] , \"data_offsets\":[ 0 ,2 ]\r} } ",
     NULL, 2},
    {"a number without dimensions", ONE("I64", "[]", "[0,8]"), NULL, 8},
    {"a tensor of no size", ONE("F32", "[0,7]", "[0,0]")},
    {"a zero beside huge dimensions",
     ONE("F32", "[0,18446744073709551615,18446744073709551615]", "[0,0]")},
    {"tensors in another order than their data", TWO("[4,8]", "[0,4]"), NULL, 8},
    {"escapes in a name", "{" BYTE("\\u00e9\\n\\\"\\ud83d\\ude00", "[0,1]") "}", NULL, 1},
    {"UTF-8 in a name", "{" BYTE("\xc3\xa9\xf0\x9f\x98\x80", "[0,1]") "}", NULL, 1},

    /* the header's length */
    {"header too small: one byte", "{", NOT_JSON},
    {"header of no length", "", "does not begin with {"},
    {"header too large: 100 MB and a byte", "{}", "more than 100 MB", 0, 100000001},
    {"header too large: 2^63", "{}", "more than 100 MB", 0, (uint64_t)1 << 63},
    {"header too large: all bits", "{}", "more than 100 MB", 0, UINT64_MAX},
    {"length beyond the file by a byte", "{}", "header is cut short", 0, 3},
    {"length beyond the file by much", "{}", "header is cut short", 0, 100000000},

    /* UTF-8 */
    {"not UTF-8: a lone continuation", "{\"\x80\":1}", "not UTF-8"},
    {"not UTF-8: cut at the end", "{\"\xe2\x82", "not UTF-8"},
    {"not UTF-8: overlong", "{\"\xc0\xaf\":1}", "not UTF-8"},
    {"not UTF-8: overlong in three bytes", "{\"\xe0\x80\xaf\":1}", "not UTF-8"},
    {"not UTF-8: a surrogate", "{\"\xed\xa0\x80\":1}", "not UTF-8"},
    {"not UTF-8: beyond U+10FFFF", "{\"\xf4\x90\x80\x80\":1}", "not UTF-8"},
    {"not UTF-8: 0xff", "{\"\xff\":1}", "not UTF-8"},

    /* JSON */
    {"begins with a space", " {}", "does not begin with {"},
    {"begins with [", "[]", "does not begin with {"},
    {"begins with a byte order mark", "\xef\xbb\xbf{}", "does not begin with {"},
    {"not JSON: no end", "{" BYTE("a", "[0,1]"), NOT_JSON, 1},
    {"not JSON: a comma too many", "{" BYTE("a", "[0,1]") ",}", NOT_JSON, 1},
    {"not JSON: a name without quotes", "{a:{}}", NOT_JSON},
    {"not JSON: single quotes", "{'a':{}}", NOT_JSON},
    {"not JSON: no colon", "{\"a\"{}}", NOT_JSON},
    {"not JSON: something behind it", "{}x", "something follows its header"},
    {"not JSON: a second object behind it", "{}{}", "something follows its header"},
    {"not JSON: a string without end", "{\"a", NOT_JSON},
    {"not JSON: a string ends in a backslash", "{\"a\\", NOT_JSON},
    {"not JSON: a backslash before the last quote", "{\"a\\\"", NOT_JSON},
    {"not JSON: an unknown escape", "{\"\\x41\":1}", NOT_JSON},
    {"not JSON: a short \\u", "{\"\\u12\":1}", NOT_JSON},
    {"not JSON: a lone high surrogate", "{\"\\ud800\":1}", NOT_JSON},
    {"not JSON: a lone low surrogate", "{\"\\udc00\":1}", NOT_JSON},
    {"not JSON: two high surrogates", "{\"\\ud800\\ud800\":1}", NOT_JSON},
    {"a NUL in a name", "{\"\\u0000\":1}", NOT_JSON},
    {"not JSON: a line feed in a string", "{\"a\nb\":1}", NOT_JSON},
    {"a tensor is a number", "{\"a\":1}", NOT_JSON},
    {"a tensor is null", "{\"a\":null}", NOT_JSON},
    {"metadata that is no string", "{\"__metadata__\":{\"a\":1}}", NOT_JSON},
    {"metadata that is a list", "{\"__metadata__\":[]}", NOT_JSON},
    {"metadata within metadata", "{\"__metadata__\":{\"a\":{\"b\":\"c\"}}}", NOT_JSON},

    /* fields */
    {"unknown dtype", ONE("F31", "[1]", "[0,4]"), "dtype that is not known", 4},
    {"a dtype of 100 characters",
     ONE("F32F32F32F32F32F32F32F32F32F32F32F32F32F32F32F32F32F32F32F32F32F32F32F32F32F32F32F32F32F3"
         "2F32F32F32F3",
         "[1]", "[0,4]"),
     "dtype that is not known", 4},
    {"an empty dtype", ONE("", "[1]", "[0,4]"), "dtype that is not known", 4},
    {"a dtype in small letters", ONE("f32", "[1]", "[0,4]"), "dtype that is not known", 4},
    {"missing dtype", "{\"a\":{\"shape\":[1],\"data_offsets\":[0,1]}}", NOT_FIELDS, 1},
    {"missing shape", "{\"a\":{\"dtype\":\"U8\",\"data_offsets\":[0,1]}}", NOT_FIELDS, 1},
    {"missing data_offsets", "{\"a\":{\"dtype\":\"U8\",\"shape\":[1]}}", NOT_FIELDS, 1},
    {"no field at all", "{\"a\":{}}", NOT_FIELDS},
    {"unknown field", "{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1],\"b\":1}}",
     NOT_FIELDS, 1},
    {"a field twice",
     "{\"a\":{\"dtype\":\"U8\",\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}", NOT_FIELDS,
     1},
    {"a shape that is a number", ONE("U8", "1", "[0,1]"), NOT_JSON, 1},
    {"a negative dimension", ONE("U8", "[-1]", "[0,1]"), NOT_JSON, 1},
    {"a dimension with a fraction", ONE("U8", "[1.0]", "[0,1]"), NOT_JSON, 1},
    {"a dimension with an exponent", ONE("U8", "[1e0]", "[0,1]"), NOT_JSON, 1},
    {"a dimension with a leading zero", ONE("U8", "[01]", "[0,1]"), NOT_JSON, 1},
    {"a dimension in quotes", ONE("U8", "[\"1\"]", "[0,1]"), NOT_JSON, 1},
    {"a dimension above 2^64", ONE("U8", "[18446744073709551616]", "[0,1]"), "too large", 1},
    {"a dimension of 100 digits",
     ONE("U8", "[1234567890123456789012345678901234567890123456789012345678901234567890]", "[0,1]"),
     "too large", 1},
    {"nine dimensions", ONE("U8", "[1,1,1,1,1,1,1,1,1]", "[0,1]"), "more dimensions", 1},
    {"one offset", ONE("U8", "[1]", "[0]"), NOT_FIELDS, 1},
    {"no offset", ONE("U8", "[1]", "[]"), NOT_FIELDS, 1},
    {"three offsets", ONE("U8", "[1]", "[0,1,2]"), "more dimensions", 1},

    /* names */
    {"duplicate name", "{" BYTE("a", "[0,1]") "," BYTE("a", "[1,2]") "}", "one name", 2},
    {"duplicate name, once escaped", "{" BYTE("a", "[0,1]") "," BYTE("\\u0061", "[1,2]") "}",
     "one name", 2},
    {"duplicate metadata", "{\"__metadata__\":{},\"__metadata__\":{}}", "twice"},
    {"duplicate key in metadata", "{\"__metadata__\":{\"a\":\"1\",\"b\":\"2\",\"a\":\"1\"}}",
     "key stands twice"},

    /* data */
    {"size below shape x dtype", ONE("F32", "[2,3]", "[0,20]"), "not what its shape says", 20},
    {"size above shape x dtype", ONE("F32", "[2,3]", "[0,28]"), "not what its shape says", 28},
    {"offsets the wrong way round", ONE("U8", "[4]", "[4,0]"), "not what its shape says", 4},
    {"overflow in shape", ONE("F32", "[4294967296,4294967296]", "[0,0]"), "shape is too large"},
    {"overflow in shape times dtype", ONE("F64", "[2305843009213693952]", "[0,0]"),
     "shape is too large"},
    {"overflow in shape to the right size",
     ONE("U8", "[4294967297,4294967295,4294967297,4294967295]", "[0,1]"), "shape is too large", 1},
    {"hole before the first tensor", ONE("U8", "[4]", "[4,8]"), "hole", 8},
    {"hole between tensors", TWO("[0,4]", "[5,9]"), "hole", 9},
    {"overlap by a byte", TWO("[0,4]", "[3,7]"), "overlap", 7},
    {"overlap: both at one place", TWO("[0,4]", "[0,4]"), "overlap", 4},
    {"data cut short by a byte", ONE("U8", "[4]", "[0,4]"), "it is cut short", 3},
    {"no data", ONE("F32", "[2,3]", "[0,24]"), "it is cut short"},
    {"offsets near 2^64", ONE("U8", "[4]", "[18446744073709551611,18446744073709551615]"), "hole",
     4},
    {"trailing byte", ONE("U8", "[4]", "[0,4]"), "follows its last tensor", 5},
    {"data without tensors", "{}", "follows its last tensor", 1},
};

enum { BREACHES = sizeof breaches / sizeof *breaches };

/* The bytes of a breach's file, for the caller to free. */
static inline uint8_t *breach_bytes(const Breach *breach, size_t *size) {
    size_t header = strlen(breach->header);
    uint64_t length = breach->length ? breach->length : header;
    uint8_t *bytes = calloc(8 + header + breach->data + 1, 1);
    if (!bytes) abort();
    for (int i = 0; i < 8; i++) bytes[i] = (uint8_t)(length >> (8 * i));
    memcpy(bytes + 8, breach->header, header);
    *size = 8 + header + breach->data;
    return bytes;
}

#endif
