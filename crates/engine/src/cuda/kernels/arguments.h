// What each kernel is given: by value, as one struct. `../arguments.rs` declares the same structs; a test compares their
// sizes. Addresses are the card's; counts are of numbers, not bytes, unless they say so.
//
// A value of the network lies as (pictures, places, stride): one row of `stride` numbers a place, of which the first
// `channels` are its channels. The rest is finite, mostly zeros, and whoever reads it gives it no weight. `stride` is a
// multiple of 8, so that a row begins at 16 bytes.
#pragma once
#include <stdint.h>

typedef uint64_t Address;

// What is done with a number last. The order is that of `network::Activation::ALL`, after NONE.
enum Activation {
    NONE, RELU, RELU6, GELU, GELU_TANH, QUICK_GELU, SILU, SIGMOID, HARD_SIGMOID, HARD_SWISH,
    TANH, SOFTPLUS, MISH, LEAKY_RELU, ELU, CLIP
};

// One of them, with its numbers in their order.
struct Function {
    int32_t activation;
    float first, second;
};

// Convolutions and dense layers: out[m][n] = activation(sum over k of seen[m][k] weight[n][k] + bias[n] + residual[m][n]).
struct Products {
    Address in;
    Address weights;    // tiles, as `products.cu` says
    Address bias;       // (tiles of columns, columns of a tile) f32
    Address residual;   // as out, or 0
    Address out;
    Address pieces;     // (steps * 8) Piece: where the k-th 16 bytes of a row are
    Address first;      // (tiles of columns) int32: numbers by which a tile's columns read further right, or 0
    int32_t rows;       // pictures * height * width of the result
    int32_t steps;      // blocks of 128 bytes that a row has
    int32_t in_height, in_width, in_stride;
    int32_t out_height, out_width, out_stride;
    int32_t columns;    // that are stored: out_stride
    int32_t step_y, step_x, pad_y, pad_x;
    Function function;
    int32_t out_f32;    // 1: the result is stored in f32, whatever the network's numbers are
    int32_t unused;
};

// 16 bytes of what a place of a result sees.
struct Piece {
    int16_t dy, dx;     // pixels below and right of the window's corner; dy = 0x4000 is nowhere: zeros
    int32_t at;         // numbers right of the place's first
};

struct Depthwise {
    Address in;
    Address weights;    // (kernel_y * kernel_x, stride) f32
    Address bias;       // (stride) f32
    Address out;
    int32_t pictures;
    int32_t in_height, in_width, out_height, out_width, stride;
    int32_t kernel_y, kernel_x, step_y, step_x, pad_y, pad_x;   // pads above and before
    int32_t dilation_y, dilation_x;     // from one place of a window to the next
    Function function;
    int32_t unused;
};

// softmax(q . k / sqrt(depth) + bias) . v in every group and head.
struct Attention {
    Address q, k, v;    // the first number of the first row of each
    Address out;
    Address places;     // (groups, queries) int32: which row of its picture each is, or 0: the i-th is row i
    Address kinds;      // (groups) int32: which bias, or 0
    Address bias;       // (kinds, heads, queries, keys) f32, or 0
    int32_t pictures, groups, heads, depth;
    int32_t queries, keys;              // of a group
    int32_t q_rows, k_rows;             // of a picture
    int32_t q_stride, k_stride, out_stride;
    float scale;        // 1 / sqrt(depth)
};

struct LayerNorm {
    Address in, out;
    Address weight, bias;   // (stride) f32, zeros after the channels
    int32_t rows, channels, stride;
    float eps;
    int32_t out_f32;
    int32_t unused;
};

// Global response normalisation: in * n * weight + bias in every picture, where n is the root of a channel's sum of squares
// over all places, over the mean of these roots plus eps.
struct ResponseNorm {
    Address in, out;
    Address weight, bias;   // (stride) f32, zeros after the channels
    int32_t places, channels, stride;
    float eps;
};

// out = activation((in * scale + shift + other) * gate), each rounded as if it were stored: what is 0 is left out.
struct Map {
    Address in, out;
    Address scale, shift;   // (stride) f32
    Address other;          // as in
    Address gate;           // (pictures, stride)
    int32_t rows, places, stride;   // rows = pictures * places
    Function function;
};

// The largest, or the mean, of the places of each window that are inside the map; with `counts_padding` the mean of those
// in the padding as well, as zeros.
struct Pool {
    Address in, out;
    int32_t pictures, in_height, in_width, out_height, out_width, stride;
    int32_t kernel_y, kernel_x, step_y, step_x;
    int32_t pad_y, pad_x, end_y, end_x; // above and before, below and behind
    int32_t average, counts_padding;
};

// Means over an even division into cells, as PyTorch's adaptive average pooling; the first `skip` rows of a picture are
// not counted.
struct Mean {
    Address in, out;
    int32_t pictures, skip, in_height, in_width, out_height, out_width, stride;
    int32_t out_f32;
};

// Copies rows into rows: out[picture][to + i][out_first + c] = in[picture][from + i][c] (+ table[i][c]) for i < rows,
// c < channels; with `fill`, the numbers of out's rows after that are zeros.
struct Copy {
    Address in;             // 0: zeros
    Address out;
    Address table;          // (rows, channels) f32, or 0
    int32_t pictures, rows, channels;
    int32_t in_rows, from, in_stride;
    int32_t out_rows, to, out_stride, out_first;
    int32_t fill;
    int32_t in_f32, out_f32;
    int32_t unused;
};

// Four neighbours as one place: upper left, lower left, upper right, lower right; outside are zeros.
struct Merge {
    Address in, out;
    int32_t pictures, in_height, in_width, channels, in_stride, out_stride;
};

// Channels in another order: out[row][c] = in[row][first + c % groups * (channels / groups) + c / groups], zeros after the
// channels.
struct Select {
    Address in, out;
    int32_t rows, channels, first, groups, in_stride, out_stride;
};

// (places, channels) to one row, channels first: out[picture][c * places + p] = in[picture][p][c]; or, with `by_place`, places
// first: out[picture][p * channels + c].
struct Flatten {
    Address in, out;
    int32_t pictures, places, channels, in_stride, out_stride;
    int32_t in_f32, out_f32;
    int32_t by_place;
};

// (height, width, 3) bytes to the network's numbers, by a table.
struct Normalise {
    Address pixels;
    Address table;      // (3, 256) f32, in the network's order of channels
    Address out;
    int32_t places;     // pictures * height * width
    int32_t stride;     // numbers a pixel: 4 or 8
    int32_t reversed;   // 1: the network's first channel is the last byte
    int32_t unused;
};

// ---- texts -----------------------------------------------------------------------------------------------------------
//
// Tokens of several texts lie one after the other, a row each, and none is padding. Rows of tables are made on the host.

// For each token a row of a table: out[t] = table[row[t]].
struct Lookup {
    Address table;      // (rows, stride)
    Address row;        // (tokens) int32
    Address out;
    int32_t tokens, stride;
};

// What a text's vector is made of.
enum Pooling { FIRST_TOKEN, LAST_TOKEN, MEAN_OF_TOKENS, LARGEST_OF_TOKENS };

// One vector of each text's tokens.
struct Gather {
    Address in, out;
    Address starts;     // (texts + 1) int32: where each text begins, and the last one ends
    int32_t texts, stride;
    int32_t pooling;
    int32_t out_f32;
};

// Rows in parts, each over the root of its mean square: in / sqrt(mean(in^2) + eps) * weight; without a weight, each over its
// length, or over 1e-12 where it is shorter.
struct RootMean {
    Address in, out;
    Address weight;     // (channels) f32 and zeros up to a multiple of eight, or 0
    int32_t rows, parts, channels, stride;  // channels of a part
    float eps;
    int32_t out_f32;
};

// Turns pairs of numbers of each head by the angles of its token's place.
struct Rotary {
    Address in, out;
    Address angles;     // (places, turned) f32: cosines of each pair, then as many sines
    Address place;      // (rows) int32
    int32_t rows, channels, stride;
    int32_t depth, turned;  // numbers of a head, and how many of them turn, from the first on
    int32_t neighbours;     // 1: one and the next are a pair; 0: the i-th of the first half, and the i-th of the second
};

// Up to 64 queries of a text.
struct QueryTile {
    int32_t start, tokens;  // the text's first row, and how many it has
    int32_t query;          // the first query, counted in the text
    int32_t unused;
};

// softmax(q . k * scale + distance) . v in every head of every text, over the keys that are near enough.
struct TextAttention {
    Address q, k, v;    // the first number of the first row of each
    Address out;
    Address tiles;      // (tiles) QueryTile
    Address distances;  // (heads, 2 * farthest + 1) f32, from keys before a query to those behind it, or 0
    int32_t heads, sharing, depth;  // so many heads of queries share one of keys and values
    int32_t q_stride, k_stride, out_stride;
    int32_t back, ahead;    // a query sees so many keys before it, and behind it
    int32_t farthest;       // what is farther has the number of this distance
    float scale;
};
