/** @source BlueZ 5.66, doc/adapter-api.txt, device-api.txt, gatt-api.txt */
export const bluezName = "org.bluez";
export const adapterInterface = "org.bluez.Adapter1";
export const deviceInterface = "org.bluez.Device1";
export const serviceInterface = "org.bluez.GattService1";
export const characteristicInterface = "org.bluez.GattCharacteristic1";
export const propertiesInterface = "org.freedesktop.DBus.Properties";
export const managerInterface = "org.freedesktop.DBus.ObjectManager";
