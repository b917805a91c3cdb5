// Its decorators need the metadata polyfill before the library is loaded.
import "reflect-metadata";

export * from "@peculiar/x509";
