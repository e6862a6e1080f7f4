#ifndef REJOINDER_CCRYPTO_SHIM_H
#define REJOINDER_CCRYPTO_SHIM_H

#include <openssl/evp.h>

#endif
