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
    uint64_t length;    /* what the first 8 bytes say: 0 means the header's true length */
    size_t data;        /* how many bytes follow the header */
    const char *reason; /* part of the refusal; NULL: the file must be accepted */
} Breach;

#define ONE(dtype, shape, offsets)                                                                 \
    "{\"a\":{\"dtype\":\"" dtype "\",\"shape\":" shape ",\"data_offsets\":" offsets "}}"
#define TWO(offsets_a, offsets_b)                                                                  \
    "{\"a\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":" offsets_a                           \
    "},\"b\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":" offsets_b "}}"
#define NOT_JSON "header is not the JSON"
#define NOT_FIELDS "not one dtype"

static const Breach breaches[] = {
    /* what must be accepted */
    {"no tensor at all", "{}", 0, 0, NULL},
    {"only metadata", "{\"__metadata__\":{\"a\":\"b\",\"c\":\"\"}}", 0, 0, NULL},
    {"empty metadata", "{\"__metadata__\":{}}", 0, 0, NULL},
    {"one tensor", ONE("F32", "[2,3]", "[0,24]"), 0, 24, NULL},
    {"white space everywhere",
     "{\"a\" : { \"dtype\":\t\"U8\" ,\n\"shape\" : [ 1 , 2 ] , \"data_offsets\":[ 0 ,2 ]\r} } ", 0,
     2, NULL},
    {"a number without dimensions", ONE("I64", "[]", "[0,8]"), 0, 8, NULL},
    {"a tensor of no size", ONE("F32", "[0,7]", "[0,0]"), 0, 0, NULL},
    {"a zero beside huge dimensions",
     ONE("F32", "[0,18446744073709551615,18446744073709551615]", "[0,0]"), 0, 0, NULL},
    {"tensors in another order than their data", TWO("[4,8]", "[0,4]"), 0, 8, NULL},
    {"escapes in a name",
     "{\"\\u00e9\\n\\\"\\ud83d\\ude00\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}",
     0, 1, NULL},
    {"UTF-8 in a name",
     "{\"\xc3\xa9\xf0\x9f\x98\x80\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}", 0, 1,
     NULL},

    /* the header's length */
    {"header too small: one byte", "{", 0, 0, NOT_JSON},
    {"header of no length", "", 0, 0, "does not begin with {"},
    {"header too large: 100 MB and a byte", "{}", 100000001, 0, "more than 100 MB"},
    {"header too large: 2^63", "{}", (uint64_t)1 << 63, 0, "more than 100 MB"},
    {"header too large: all bits", "{}", UINT64_MAX, 0, "more than 100 MB"},
    {"length beyond the file by a byte", "{}", 3, 0, "header is cut short"},
    {"length beyond the file by much", "{}", 100000000, 0, "header is cut short"},

    /* UTF-8 */
    {"not UTF-8: a lone continuation", "{\"\x80\":1}", 0, 0, "not UTF-8"},
    {"not UTF-8: cut at the end", "{\"\xe2\x82", 0, 0, "not UTF-8"},
    {"not UTF-8: overlong", "{\"\xc0\xaf\":1}", 0, 0, "not UTF-8"},
    {"not UTF-8: overlong in three bytes", "{\"\xe0\x80\xaf\":1}", 0, 0, "not UTF-8"},
    {"not UTF-8: a surrogate", "{\"\xed\xa0\x80\":1}", 0, 0, "not UTF-8"},
    {"not UTF-8: beyond U+10FFFF", "{\"\xf4\x90\x80\x80\":1}", 0, 0, "not UTF-8"},
    {"not UTF-8: 0xff", "{\"\xff\":1}", 0, 0, "not UTF-8"},

    /* JSON */
    {"begins with a space", " {}", 0, 0, "does not begin with {"},
    {"begins with [", "[]", 0, 0, "does not begin with {"},
    {"begins with a byte order mark", "\xef\xbb\xbf{}", 0, 0, "does not begin with {"},
    {"not JSON: no end", "{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}", 0, 1,
     NOT_JSON},
    {"not JSON: a comma too many",
     "{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]},}", 0, 1, NOT_JSON},
    {"not JSON: a name without quotes", "{a:{}}", 0, 0, NOT_JSON},
    {"not JSON: single quotes", "{'a':{}}", 0, 0, NOT_JSON},
    {"not JSON: no colon", "{\"a\"{}}", 0, 0, NOT_JSON},
    {"not JSON: something behind it", "{}x", 0, 0, "something follows its header"},
    {"not JSON: a second object behind it", "{}{}", 0, 0, "something follows its header"},
    {"not JSON: a string without end", "{\"a", 0, 0, NOT_JSON},
    {"not JSON: a string ends in a backslash", "{\"a\\", 0, 0, NOT_JSON},
    {"not JSON: a backslash before the last quote", "{\"a\\\"", 0, 0, NOT_JSON},
    {"not JSON: an unknown escape", "{\"\\x41\":1}", 0, 0, NOT_JSON},
    {"not JSON: a short \\u", "{\"\\u12\":1}", 0, 0, NOT_JSON},
    {"not JSON: a lone high surrogate", "{\"\\ud800\":1}", 0, 0, NOT_JSON},
    {"not JSON: a lone low surrogate", "{\"\\udc00\":1}", 0, 0, NOT_JSON},
    {"not JSON: two high surrogates", "{\"\\ud800\\ud800\":1}", 0, 0, NOT_JSON},
    {"a NUL in a name", "{\"\\u0000\":1}", 0, 0, NOT_JSON},
    {"not JSON: a line feed in a string", "{\"a\nb\":1}", 0, 0, NOT_JSON},
    {"a tensor is a number", "{\"a\":1}", 0, 0, NOT_JSON},
    {"a tensor is null", "{\"a\":null}", 0, 0, NOT_JSON},
    {"metadata that is no string", "{\"__metadata__\":{\"a\":1}}", 0, 0, NOT_JSON},
    {"metadata that is a list", "{\"__metadata__\":[]}", 0, 0, NOT_JSON},
    {"metadata within metadata", "{\"__metadata__\":{\"a\":{\"b\":\"c\"}}}", 0, 0, NOT_JSON},

    /* fields */
    {"unknown dtype", ONE("F31", "[1]", "[0,4]"), 0, 4, "dtype that is not known"},
    {"a dtype of 100 characters",
     ONE("F32F32F32F32F32F32F32F32F32F32F32F32F32F32F32F32F32F32F32F32F32F32F32F32F32F32F32F32F32F3"
         "2F32F32F32F3",
         "[1]", "[0,4]"),
     0, 4, "dtype that is not known"},
    {"an empty dtype", ONE("", "[1]", "[0,4]"), 0, 4, "dtype that is not known"},
    {"a dtype in small letters", ONE("f32", "[1]", "[0,4]"), 0, 4, "dtype that is not known"},
    {"missing dtype", "{\"a\":{\"shape\":[1],\"data_offsets\":[0,1]}}", 0, 1, NOT_FIELDS},
    {"missing shape", "{\"a\":{\"dtype\":\"U8\",\"data_offsets\":[0,1]}}", 0, 1, NOT_FIELDS},
    {"missing data_offsets", "{\"a\":{\"dtype\":\"U8\",\"shape\":[1]}}", 0, 1, NOT_FIELDS},
    {"no field at all", "{\"a\":{}}", 0, 0, NOT_FIELDS},
    {"unknown field", "{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1],\"b\":1}}", 0,
     1, NOT_FIELDS},
    {"a field twice",
     "{\"a\":{\"dtype\":\"U8\",\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}", 0, 1,
     NOT_FIELDS},
    {"a shape that is a number", ONE("U8", "1", "[0,1]"), 0, 1, NOT_JSON},
    {"a negative dimension", ONE("U8", "[-1]", "[0,1]"), 0, 1, NOT_JSON},
    {"a dimension with a fraction", ONE("U8", "[1.0]", "[0,1]"), 0, 1, NOT_JSON},
    {"a dimension with an exponent", ONE("U8", "[1e0]", "[0,1]"), 0, 1, NOT_JSON},
    {"a dimension with a leading zero", ONE("U8", "[01]", "[0,1]"), 0, 1, NOT_JSON},
    {"a dimension in quotes", ONE("U8", "[\"1\"]", "[0,1]"), 0, 1, NOT_JSON},
    {"a dimension above 2^64", ONE("U8", "[18446744073709551616]", "[0,1]"), 0, 1, "too large"},
    {"a dimension of 100 digits",
     ONE("U8", "[1234567890123456789012345678901234567890123456789012345678901234567890]", "[0,1]"),
     0, 1, "too large"},
    {"nine dimensions", ONE("U8", "[1,1,1,1,1,1,1,1,1]", "[0,1]"), 0, 1, "more dimensions"},
    {"one offset", ONE("U8", "[1]", "[0]"), 0, 1, NOT_FIELDS},
    {"no offset", ONE("U8", "[1]", "[]"), 0, 1, NOT_FIELDS},
    {"three offsets", ONE("U8", "[1]", "[0,1,2]"), 0, 1, "more dimensions"},

    /* names */
    {"duplicate name",
     "{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]},\"a\":{\"dtype\":\"U8\","
     "\"shape\":[1],\"data_offsets\":[1,2]}}",
     0, 2, "one name"},
    {"duplicate name, once escaped",
     "{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]},\"\\u0061\":{\"dtype\":\"U8\","
     "\"shape\":[1],\"data_offsets\":[1,2]}}",
     0, 2, "one name"},
    {"duplicate metadata", "{\"__metadata__\":{},\"__metadata__\":{}}", 0, 0, "twice"},
    {"duplicate key in metadata", "{\"__metadata__\":{\"a\":\"1\",\"b\":\"2\",\"a\":\"1\"}}", 0, 0,
     "key stands twice"},

    /* data */
    {"size below shape x dtype", ONE("F32", "[2,3]", "[0,20]"), 0, 20, "not what its shape says"},
    {"size above shape x dtype", ONE("F32", "[2,3]", "[0,28]"), 0, 28, "not what its shape says"},
    {"offsets the wrong way round", ONE("U8", "[4]", "[4,0]"), 0, 4, "not what its shape says"},
    {"overflow in shape", ONE("F32", "[4294967296,4294967296]", "[0,0]"), 0, 0,
     "shape is too large"},
    {"overflow in shape times dtype", ONE("F64", "[2305843009213693952]", "[0,0]"), 0, 0,
     "shape is too large"},
    {"overflow in shape to the right size",
     ONE("U8", "[4294967297,4294967295,4294967297,4294967295]", "[0,1]"), 0, 1,
     "shape is too large"},
    {"hole before the first tensor", ONE("U8", "[4]", "[4,8]"), 0, 8, "hole"},
    {"hole between tensors", TWO("[0,4]", "[5,9]"), 0, 9, "hole"},
    {"overlap by a byte", TWO("[0,4]", "[3,7]"), 0, 7, "overlap"},
    {"overlap: both at one place", TWO("[0,4]", "[0,4]"), 0, 4, "overlap"},
    {"data cut short by a byte", ONE("U8", "[4]", "[0,4]"), 0, 3, "it is cut short"},
    {"no data", ONE("F32", "[2,3]", "[0,24]"), 0, 0, "it is cut short"},
    {"offsets near 2^64", ONE("U8", "[4]", "[18446744073709551611,18446744073709551615]"), 0, 4,
     "hole"},
    {"trailing byte", ONE("U8", "[4]", "[0,4]"), 0, 5, "follows its last tensor"},
    {"data without tensors", "{}", 0, 1, "follows its last tensor"},
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
