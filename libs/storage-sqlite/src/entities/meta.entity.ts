import { Column, Entity, PrimaryColumn } from 'typeorm';

/** Facts about the database as a whole. */
@Entity('meta')
export class MetaEntity {
  /** `uuid`: 32 hex digits. */
  @PrimaryColumn('text')
  key!: string;

  @Column('text')
  value!: string;
}
