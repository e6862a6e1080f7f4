#ifndef REJOINDER_CFUZZER_FUZZER_H
#define REJOINDER_CFUZZER_FUZZER_H

#include <stddef.h>
#include <stdint.h>

/* libFuzzer's loop, for programs that have a main of their own: https://llvm.org/docs/LibFuzzer.html */
int LLVMFuzzerRunDriver(int *argc, char ***argv, int (*callback)(const uint8_t *data, size_t size));

#endif
